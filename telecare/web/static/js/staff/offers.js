// The staff end makes the connections: when the first offer goes out, and when another replaces it.
import { direction } from "../core/call.js";
import { signalTo } from "../core/protocol.js";

/** @typedef {import("../core/call.js").CallEnd} CallEnd */
/** @typedef {import("../core/wire").CallFrame} CallFrame */
/** @typedef {import("../core/wire").SignalFrame} SignalFrame */

const CONNECT_PATIENCE_MS = 8000;
const SEVERED_PATIENCE_MS = 4000;
const HISTORY_FIRST_MS = 400;
const HISTORY_MS = 2000;
const EVERYTHING = { home_picture: true, home_sound: true, staff_picture: true, staff_sound: true };
const PICTURE = { home_picture: true, home_sound: false, staff_picture: false, staff_sound: false };

/**
 * @typedef {object} Spare
 * @property {RTCPeerConnection} pc
 * @property {RTCDataChannel} text
 * @property {RTCDataChannel} alive
 * @property {Promise<RTCSessionDescriptionInit>} offer
 */

/** Made at the press, while the server still decides: a first connection takes a browser a while. @type {Spare|null} */
let spare = null;

/** A connection that leads nowhere yet. @param {RTCConfiguration} paths @param {{home_picture: boolean, home_sound: boolean, staff_picture: boolean, staff_sound: boolean}} media @returns {Spare} */
function made(paths, media) {
  const pc = new RTCPeerConnection(paths);
  const text = pc.createDataChannel("text", { ordered: true });
  const alive = pc.createDataChannel("alive", { ordered: false, maxRetransmits: 0 });
  pc.addTransceiver("audio", { direction: direction(media.staff_sound, media.home_sound) });
  pc.addTransceiver("video", { direction: direction(media.staff_picture, media.home_picture) });
  return { pc, text, alive, offer: pc.createOffer() };
}

export function getSpare() {
  dropSpare();
  spare = made({ bundlePolicy: "max-bundle" }, EVERYTHING);
}

export function dropSpare() {
  if (spare) spare.pc.close();
  spare = null;
}

/** @param {RTCConfiguration} paths @returns {Spare|null} */
function takeSpare(paths) {
  const taken = spare;
  spare = null;
  if (taken) taken.pc.setConfiguration(paths);
  return taken;
}

export class Offers {
  /** `resumed`: the call was going on before this page had it; `speaks`: a look in which we may be heard. @param {CallEnd} end @param {boolean} resumed @param {boolean} [speaks] */
  constructor(end, resumed, speaks) {
    this.end = end;
    this.speaks = Boolean(speaks);
    this.resumed = resumed;
    this.begunAt = 0;
    /** Made while it rang, with a home unit. */
    this.isEarly = false;
  }

  /** While it rings a home unit may connect already: no camera is open yet at either end. */
  early() {
    if (this.isEarly || this.resumed) return;
    this.isEarly = true;
    this.renew();
  }

  /** The call is open. */
  begin() {
    const now = performance.now();
    this.begunAt = now;
    const frame = /** @type {CallFrame} */ (this.end.frame);
    if (this.isEarly && this.end.pc && frame.answered_by === "unit") { this.end.offeredAt = now; return; }
    const known = sessionStorage.getItem(`generation:${this.end.callId}`);
    if (!this.resumed || known) { this.renew(); return; }
    // Taken over from another page: first see which numbers its connections had.
    this.end.offeredAt = now;
    setTimeout(() => { if (!this.end.closed && !this.end.pc) this.renew(); }, HISTORY_FIRST_MS);
  }

  /** A look has a place for our voice from the beginning. */
  mediaChanged() {
    if (!this.speaks) this.renew();
  }

  /** Only the page that holds the call makes connections. */
  mayRenew() {
    const end = this.end;
    return end.live.open.value && !end.elsewhere.value && Boolean(end.frame && end.frame.mine);
  }

  /** A new connection in place of the old one. */
  async renew() {
    const end = this.end;
    const known = Number(sessionStorage.getItem(`generation:${end.callId}`) || 0);
    const generation = Math.max(end.generation, end.newest, known) + 1;
    sessionStorage.setItem(`generation:${end.callId}`, String(generation));
    const media = /** @type {CallFrame} */ (end.frame).media;
    const paths = end.paths();
    const whole = !media || Object.values(media).indexOf(false) < 0;
    const isLook = /** @type {CallFrame} */ (end.frame).kind === "look";
    const { pc, text, alive, offer } = (whole && !isLook && takeSpare(paths)) || made(paths, isLook ? Object.assign({}, PICTURE, { staff_sound: this.speaks }) : media || EVERYTHING);
    end.fresh(generation, pc);
    end.newest = generation;
    end.textIs(text);
    end.aliveIs(alive);
    end.attach();
    const description = await offer;
    if (pc !== end.pc) return;
    await pc.setLocalDescription(description);
    if (pc !== end.pc) return;
    end.send(signalTo(end.callId, generation, "offer", /** @type {string} */ (description.sdp)));
  }

  /** A connection this page did not make. @param {SignalFrame} one */
  async isForeign(one) {
    const end = this.end;
    if (one.generation <= end.generation) return false;
    // What was there before the page came is history to go beyond; later, another page of ours has
    // taken the call.
    if (!end.pc) return true;
    if (this.resumed && performance.now() - this.begunAt < HISTORY_MS) await this.renew();
    else {
      end.elsewhere.value = true;
      end.stopHere();
    }
    return true;
  }

  /** @param {SignalFrame} one */
  async answered(one) {
    const end = this.end;
    if (!end.pc || one.generation !== end.generation) return;
    if (end.answered) {
      // The home began anew (a reload): what we had leads nowhere.
      await this.renew();
      return;
    }
    end.answered = true;
    await end.pc.setRemoteDescription({ type: "answer", sdp: one.body });
    await end.lateCandidates(one.generation);
  }

  failed() {
    if (!this.end.begun) this.end.drop(); // it rings on, and a new one is made at the answer
    else if (this.mayRenew()) this.renew();
  }

  /** A connection that does not come, or is severed, is replaced. */
  watch() {
    const end = this.end;
    if (!end.pc || !this.mayRenew()) return;
    const now = performance.now();
    const late = !end.connected.value && end.severedAt === null && now - end.offeredAt > CONNECT_PATIENCE_MS;
    const severed = end.severedAt !== null && now - end.severedAt > SEVERED_PATIENCE_MS;
    if (late || severed) this.renew();
  }
}
