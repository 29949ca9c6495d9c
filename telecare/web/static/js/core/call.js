// One end of a call. The staff page offers, the home answers; whoever sends the home's picture
// enforces the lease on its own clock (docs/protocol.md, "A call between pages").
import { signal } from "../lib/preact.js";
import { alive, report, signalTo } from "./protocol.js";

/** @typedef {import("./wire").CallFrame} CallFrame */
/** @typedef {import("./wire").SignalFrame} SignalFrame */
/** @typedef {import("./wire").Lease} Lease */
/** @typedef {import("./wire").Media} Media */
/** @typedef {import("./live.js").Live} Live */
/** @typedef {"staff"|"home"} Role */
/** @typedef {null|"no_camera"|"no_microphone"|"neither"|"refused"} Trouble */
/** @template T @typedef {import("../lib/preact.js").Signal<T>} Sig */

const FIRST_LEASE_MS = 3000;
const VIEWER_SILENT_MS = 3000;
const FIRST_VIEWER_MS = 15000;
const DARK_AT_MOST_MS = 30000;
const STALLED_MS = 3000;
const QUALITY_EVERY_MS = 5000;
const TEXT_MAX = 500;
const CAMERA = { width: { ideal: 960 }, height: { ideal: 540 }, frameRate: { ideal: 30 } };
const MICROPHONE = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };

/** @param {MediaStream|null} stream */
function stopAll(stream) {
  if (stream) stream.getTracks().forEach((track) => track.stop());
}

/**
 * Camera and microphone, or as much of them as there is, and what is wrong.
 * @param {boolean} audio @param {boolean} video @returns {Promise<{stream: MediaStream|null, trouble: Trouble}>}
 */
export async function openMedia(audio, video) {
  if (!audio && !video) return { stream: null, trouble: null };
  const devices = navigator.mediaDevices;
  if (!devices || !devices.getUserMedia) return { stream: null, trouble: "neither" };
  /** @param {boolean} a @param {boolean} v */
  const open = (a, v) => devices.getUserMedia({ audio: a && MICROPHONE, video: v && CAMERA });
  let refused = false;
  try {
    return { stream: await open(audio, video), trouble: null };
  } catch (error) {
    refused = error instanceof DOMException && error.name === "NotAllowedError";
  }
  if (audio && video) {
    try { return { stream: await open(true, false), trouble: "no_camera" }; } catch (_) { /* the microphone is what fails */ }
    try { return { stream: await open(false, true), trouble: "no_microphone" }; } catch (_) { /* both fail */ }
    return { stream: null, trouble: refused ? "refused" : "neither" };
  }
  if (refused) return { stream: null, trouble: "refused" };
  return { stream: null, trouble: audio ? "no_microphone" : "no_camera" };
}

export class CallEnd {
  /** `offers`: makes the connections (staff). @param {Live} live @param {string} callId @param {Role} role @param {{offers?: (end: CallEnd) => import("../staff/offers.js").Offers, onLost?: () => void}} [more] */
  constructor(live, callId, role, more = {}) {
    this.live = live;
    this.callId = callId;
    this.role = role;
    this.onLost = more.onLost;
    /** The other end's picture. */
    this.picture = signal(/** @type {"waiting"|"live"|"paused"} */ ("waiting"));
    this.quality = signal(/** @type {"unknown"|"good"|"choppy"|"sound_only"} */ ("unknown"));
    this.trouble = signal(/** @type {Trouble} */ (null));
    this.mine = signal(/** @type {MediaStream|null} */ (null));
    this.theirs = signal(/** @type {MediaStream|null} */ (null));
    /** What the TV shows: what we wrote (staff), or what came (home). @type {Sig<{line: string, live: string}>} */
    this.text = signal({ line: "", live: "" });
    /** What the other end writes to the staff page. @type {Sig<{line: string, live: string}>} */
    this.reply = signal({ line: "", live: "" });
    this.cameraOn = signal(false);
    this.lit = signal(false);
    this.connected = signal(false);
    this.wantCamera = signal(true);
    this.wantMicrophone = signal(true);
    /** Another page of the same person took the call over. */
    this.elsewhere = signal(false);

    /** @type {CallFrame|null} */
    this.frame = null;
    /** @type {RTCPeerConnection|null} */
    this.pc = null;
    this.generation = 0;
    /** @type {Map<number, RTCIceCandidateInit[]>} */
    this.early = new Map();
    /** @type {import("./wire").Signal[]} */
    this.unsent = [];
    this.answered = false;
    this.begun = false;
    this.closed = false;
    this.wentDark = false;
    this.mediaTurn = 0;
    this.chain = Promise.resolve();
    this.newest = 0;
    /** @type {RTCDataChannel|null} */
    this.textChannel = null;
    /** @type {RTCDataChannel|null} */
    this.aliveChannel = null;
    this.everHeard = false;
    this.heardAt = 0;
    this.leaseUntil = 0;
    this.firstAlive = Infinity;
    this.mustEnd = Infinity;
    /** @type {number|null} */
    this.darkSince = null;
    this.offeredAt = 0;
    /** @type {number|null} */
    this.severedAt = null;
    this.firstFrameSent = false;
    this.frames = 0;
    this.frameAt = 0;
    this.soundBytes = 0;
    this.soundAt = 0;
    this.counted = { lost: 0, received: 0, frames: 0, at: 0 };
    this.qualityAt = 0;
    /** @type {number[]} */
    this.timers = [];
    this.offers = more.offers ? more.offers(this) : null;
    this.stopWatchingSocket = live.open.subscribe((open) => { if (open) this.flush(); });
  }

  // --- what the server says

  /** @param {CallFrame} frame */
  take(frame) {
    if (this.closed) return;
    const before = this.frame;
    // Credentials come only with an open call; a later frame without them does not take them away.
    const servers = frame.ice_servers.length || !before ? frame.ice_servers : before.ice_servers;
    this.frame = Object.assign({}, frame, { ice_servers: servers });
    if (frame.state === "ended") { this.close(); return; }
    if (frame.max_s !== null) this.mustEnd = performance.now() + frame.max_s * 1000;
    if (frame.state === "dark") this.picture.value = "paused";
    if (this.offers && frame.connects_early) this.offers.early();
    if (frame.state !== "open" && frame.state !== "dark") return;
    if (!this.begun) { this.begin(); return; }
    if (before && JSON.stringify(before.media) !== JSON.stringify(frame.media)) this.mediaChanged();
  }

  begin() {
    const now = performance.now();
    this.begun = true;
    this.leaseUntil = now + FIRST_LEASE_MS;
    this.heardAt = now;
    this.light();
    if (this.offers) this.offers.begin();
    this.timers.push(setInterval(() => this.sayAlive(), 1000), setInterval(() => this.watch(), 200), setInterval(() => this.measure(), 1000));
    this.sayAlive();
  }

  mediaChanged() {
    if (this.lit.value) this.light();
    if (this.offers) this.offers.mediaChanged();
  }

  /** @param {Lease} lease */
  lease(lease) {
    const now = performance.now();
    // Only an echo of what this very page said counts: a page's clock starts anew at each load.
    if (this.closed || lease.echo_ms < this.firstAlive || lease.echo_ms > now) return;
    this.leaseUntil = Math.max(this.leaseUntil, lease.echo_ms + lease.lease_ms);
    this.watch();
  }

  /** Signals are handled one after the other, in the order of their numbers. @param {SignalFrame} one */
  signal(one) {
    this.newest = Math.max(this.newest, one.generation);
    this.chain = this.chain.then(() => this.handle(one)).catch(() => this.stumbled(one.generation));
  }

  // --- camera and sound of this end

  wants() {
    const media = this.frame && this.frame.media;
    if (!media) return { audio: false, video: false };
    if (this.role === "home") return { audio: media.home_sound, video: media.home_picture };
    return { audio: media.staff_sound, video: media.staff_picture && this.wantCamera.value };
  }

  /** Opens what may flow now. Called anew whenever that changes. */
  async light() {
    const turn = ++this.mediaTurn;
    const want = this.wants();
    const wasLit = this.lit.value;
    this.lit.value = true;
    this.darkSince = null;
    this.dropUnwanted(want);
    const have = this.mine.value;
    const needAudio = want.audio && !(have && have.getAudioTracks().length);
    const needVideo = want.video && !(have && have.getVideoTracks().length);
    if (needAudio || needVideo) {
      const got = await openMedia(needAudio, needVideo);
      if (turn !== this.mediaTurn || this.closed) { stopAll(got.stream); return; }
      this.trouble.value = got.trouble;
      const tracks = (have ? have.getTracks() : []).concat(got.stream ? got.stream.getTracks() : []);
      tracks.forEach((track) => {
        if (track.kind === "video") track.contentHint = "motion";
        track.onended = () => this.unplugged(track.kind);
      });
      this.mine.value = tracks.length ? new MediaStream(tracks) : null;
    }
    this.setMicrophone();
    this.attach();
    this.sayCamera();
    if (!wasLit && this.begun && this.role === "home" && this.wentDark) this.live.send(report(this.callId, "lit"));
  }

  /** @param {string} kind */
  unplugged(kind) {
    this.trouble.value = kind === "video" ? "no_camera" : "no_microphone";
    const left = this.mine.value ? this.mine.value.getTracks().filter((track) => track.readyState === "live") : [];
    this.mine.value = left.length ? new MediaStream(left) : null;
    this.attach();
    this.sayCamera();
  }

  /** @param {{audio: boolean, video: boolean}} want */
  dropUnwanted(want) {
    const have = this.mine.value;
    if (!have) return;
    const keep = have.getTracks().filter((track) => (track.kind === "audio" ? want.audio : want.video));
    if (keep.length === have.getTracks().length) return;
    have.getTracks().forEach((track) => { if (!keep.includes(track)) track.stop(); });
    this.mine.value = keep.length ? new MediaStream(keep) : null;
    this.attach();
    this.sayCamera();
  }

  /** Stops camera and microphone for real: the lamp goes out. */
  dark() {
    if (!this.lit.value) return;
    this.mediaTurn += 1;
    this.lit.value = false;
    this.wentDark = true;
    this.darkSince = performance.now();
    stopAll(this.mine.value);
    this.mine.value = null;
    this.attach();
    this.live.send(report(this.callId, "dark"));
    this.sayCamera();
  }

  sayCamera() {
    const on = Boolean(this.mine.value && this.mine.value.getVideoTracks().length);
    if (on === this.cameraOn.value) return;
    this.cameraOn.value = on;
    if (this.role === "home") this.live.send(report(this.callId, on ? "camera_on" : "camera_off"));
  }

  /** Gives each sender its track, or none. */
  attach() {
    if (!this.pc || this.pc.signalingState === "closed") return;
    const have = this.mine.value;
    this.pc.getTransceivers().forEach((one) => {
      const kind = one.receiver.track.kind;
      const track = (have && have.getTracks().find((each) => each.kind === kind)) || null;
      if (one.sender.track !== track) one.sender.replaceTrack(track).catch(() => {});
    });
  }

  setMicrophone() {
    const have = this.mine.value;
    if (have) have.getAudioTracks().forEach((track) => { track.enabled = this.wantMicrophone.value; });
  }

  /** @param {boolean} on */
  useMicrophone(on) {
    this.wantMicrophone.value = on;
    this.setMicrophone();
  }

  /** @param {boolean} on */
  useCamera(on) {
    this.wantCamera.value = on;
    if (this.begun && this.lit.value) this.light();
  }

  // --- the connection

  /** How a connection of this call may be made. @returns {RTCConfiguration} */
  paths() {
    const frame = /** @type {CallFrame} */ (this.frame);
    return {
      iceServers: frame.ice_servers.map((one) => ({ urls: one.urls, username: one.username || undefined, credential: one.credential || undefined })),
      iceTransportPolicy: frame.relay_only ? "relay" : "all",
      bundlePolicy: "max-bundle",
    };
  }

  /** From now on `pc` is the connection, number `generation`. @param {number} generation @param {RTCPeerConnection} pc */
  fresh(generation, pc) {
    this.drop();
    this.generation = generation;
    this.unsent = [];
    this.answered = false;
    this.severedAt = null;
    this.offeredAt = performance.now();
    const theirs = new MediaStream();
    this.pc = pc;
    pc.onicecandidate = (event) => {
      if (pc !== this.pc) return;
      const body = event.candidate && event.candidate.candidate ? JSON.stringify(event.candidate) : "{\"candidate\":\"\"}";
      if (event.candidate && !event.candidate.candidate) return;
      this.send(signalTo(this.callId, generation, "candidate", body));
    };
    pc.ontrack = (event) => {
      theirs.addTrack(event.track);
      if (pc === this.pc) this.theirs.value = new MediaStream(theirs.getTracks());
    };
    pc.onconnectionstatechange = () => { if (pc === this.pc) this.connectionChanged(pc.connectionState); };
  }

  /** @param {SignalFrame} one */
  async handle(one) {
    if (!this.begun && !(this.offers && this.offers.isEarly)) await this.opened();
    if (this.closed || one.generation < this.newest) return;
    if (this.offers) {
      if (await this.offers.isForeign(one)) return;
      if (one.kind === "answer") { await this.offers.answered(one); return; }
    } else if (one.kind === "offer") { await this.answer(one); return; }
    if (one.kind === "candidate") await this.candidateCame(one);
  }

  /** Waits until the call is open. */
  opened() {
    return new Promise((resolve) => {
      const timer = setInterval(() => {
        if (!this.begun && !this.closed) return;
        clearInterval(timer);
        resolve(undefined);
      }, 20);
    });
  }

  /** @param {SignalFrame} one */
  async answer(one) {
    if (one.generation <= this.generation) return;
    const pc = new RTCPeerConnection(this.paths());
    this.fresh(one.generation, pc);
    pc.ondatachannel = (event) => {
      if (event.channel.label === "text") this.textIs(event.channel);
      if (event.channel.label === "alive") this.aliveIs(event.channel);
    };
    await pc.setRemoteDescription({ type: "offer", sdp: one.body });
    const media = /** @type {CallFrame} */ (this.frame).media;
    pc.getTransceivers().forEach((each) => {
      const video = each.receiver.track.kind === "video";
      const sends = Boolean(media && (video ? media.home_picture : media.home_sound));
      const gets = Boolean(media && (video ? media.staff_picture : media.staff_sound));
      each.direction = direction(sends, gets);
    });
    this.attach();
    const answer = await pc.createAnswer();
    if (pc !== this.pc) return;
    await pc.setLocalDescription(answer);
    this.answered = true;
    this.send(signalTo(this.callId, one.generation, "answer", /** @type {string} */ (answer.sdp)));
    await this.lateCandidates(one.generation);
  }

  /** @param {SignalFrame} one */
  async candidateCame(one) {
    const candidate = JSON.parse(one.body);
    if (!candidate.candidate) return;
    if (one.generation !== this.generation || !this.pc || !this.pc.remoteDescription) {
      const waiting = this.early.get(one.generation) || [];
      waiting.push(candidate);
      this.early.set(one.generation, waiting);
      return;
    }
    await this.pc.addIceCandidate(candidate).catch(() => {});
  }

  /** @param {number} generation */
  async lateCandidates(generation) {
    const waiting = this.early.get(generation) || [];
    this.early.clear();
    for (const candidate of waiting) if (this.pc) await this.pc.addIceCandidate(candidate).catch(() => {});
  }

  /** A description that could not be used. @param {number} generation */
  stumbled(generation) {
    if (this.offers && !this.closed && this.begun && generation === this.generation) this.offers.renew();
  }

  /** @param {RTCPeerConnectionState} state */
  connectionChanged(state) {
    this.connected.value = state === "connected";
    if (state === "connected") this.severedAt = null;
    else if (state === "disconnected" && this.severedAt === null) this.severedAt = performance.now();
    else if (state === "failed" && this.offers) this.offers.failed();
  }

  /** @param {import("./wire").Signal} one */
  send(one) {
    if (!this.live.send(one)) this.unsent.push(one);
  }

  flush() {
    const unsent = this.unsent.filter((one) => one.generation === this.generation);
    this.unsent = [];
    unsent.forEach((one) => this.send(one));
    if (this.begun && !this.closed) this.sayAlive();
  }

  // --- data channels

  /** @param {RTCDataChannel} channel */
  aliveIs(channel) {
    this.aliveChannel = channel;
    const heard = () => {
      if (channel !== this.aliveChannel) return;
      this.heardAt = performance.now();
      this.everHeard = true;
    };
    channel.onopen = () => { heard(); this.sayAlive(); };
    channel.onmessage = heard;
  }

  /** @param {RTCDataChannel} channel */
  textIs(channel) {
    this.textChannel = channel;
    channel.onopen = () => {
      if (this.role !== "staff") return;
      const now = this.text.value;
      if (now.line) this.write({ line: now.line });
      if (now.live) this.write({ live: now.live });
    };
    channel.onmessage = (event) => {
      const place = this.role === "home" ? this.text : this.reply;
      place.value = readText(place.value, event.data);
    };
  }

  /** @param {{live?: string, line?: string, clear?: boolean}} message */
  write(message) {
    if (this.textChannel && this.textChannel.readyState === "open") this.textChannel.send(JSON.stringify(message));
  }

  /** Where what this end writes stands: what staff write is `text`, what she writes is `reply`. */
  written() {
    return this.role === "staff" ? this.text : this.reply;
  }

  /** Each keystroke. @param {string} live */
  typed(live) {
    const own = this.written();
    own.value = { line: own.value.line, live: live.slice(0, TEXT_MAX) };
    this.write({ live: live.slice(0, TEXT_MAX) });
  }

  /** A whole line: Enter, or a ready sentence. @param {string} line */
  say(line) {
    this.written().value = { line: line.slice(0, TEXT_MAX), live: "" };
    this.write({ line: line.slice(0, TEXT_MAX) });
  }

  clearText() {
    this.written().value = { line: "", live: "" };
    this.write({ clear: true });
  }

  sayAlive() {
    const now = performance.now();
    if (this.live.send(alive(this.callId, now)) && this.firstAlive === Infinity) this.firstAlive = Math.floor(now);
    if (this.aliveChannel && this.aliveChannel.readyState === "open") {
      try { this.aliveChannel.send(JSON.stringify({ mono_ms: Math.floor(now) })); } catch (_) { /* full: the next second tells */ }
    }
  }

  // --- watching

  watch() {
    if (this.closed) return;
    if (this.offers) this.offers.watch();
    else this.watchLease();
    const stalled = this.frameAt > 0 && performance.now() - this.frameAt > STALLED_MS;
    if (this.picture.value === "live" && stalled) this.picture.value = "paused";
  }

  /** Home: dark when the lease lapsed or nobody is heard at the other end; light when both are back. */
  watchLease() {
    const now = performance.now();
    if (now > this.mustEnd) { this.lose(); return; }
    const silent = now - this.heardAt > (this.everHeard ? VIEWER_SILENT_MS : FIRST_VIEWER_MS);
    const may = now <= this.leaseUntil && !silent;
    if (this.lit.value && !may) this.dark();
    else if (!this.lit.value && may) this.light();
    if (this.darkSince !== null && now - this.darkSince > DARK_AT_MOST_MS) this.lose();
  }

  /** The page's video element says when the first picture is there. @param {HTMLVideoElement} video */
  watchVideo(video) {
    const first = () => {
      if (this.firstFrameSent || this.closed) return;
      this.firstFrameSent = true;
      this.frameAt = performance.now();
      this.picture.value = "live";
      this.live.send(report(this.callId, "first_frame"));
    };
    if ("requestVideoFrameCallback" in video) video.requestVideoFrameCallback(first);
    else /** @type {HTMLVideoElement} */ (video).addEventListener("timeupdate", () => { if (/** @type {HTMLVideoElement} */ (video).videoWidth > 0) first(); });
  }

  /** Reads the statistics each second; reports each fifth. */
  async measure() {
    const pc = this.pc;
    if (!pc || !this.connected.value) return;
    const now = performance.now();
    let frames = 0;
    let bytes = 0;
    let lost = 0;
    let received = 0;
    let width = 0;
    let height = 0;
    /** @type {number|null} */
    let trip = null;
    (await pc.getStats()).forEach((/** @type {any} */ one) => {
      if (one.type === "inbound-rtp") {
        lost += one.packetsLost || 0;
        received += one.packetsReceived || 0;
        if ((one.kind || one.mediaType) === "video") {
          frames += one.framesDecoded || 0;
          width = one.frameWidth || width;
          height = one.frameHeight || height;
        } else bytes += one.bytesReceived || 0;
      }
      if (one.type === "candidate-pair" && one.nominated && one.currentRoundTripTime !== undefined) trip = one.currentRoundTripTime * 1000;
    });
    if (pc !== this.pc || this.closed) return;
    if (frames !== this.frames) {
      this.frames = frames;
      this.frameAt = now;
      const dark = this.frame && this.frame.state === "dark";
      if (frames > 0 && this.firstFrameSent && !dark) this.picture.value = "live";
    }
    if (bytes !== this.soundBytes) { this.soundBytes = bytes; this.soundAt = now; }
    if (now - this.qualityAt < QUALITY_EVERY_MS) return;
    const first = this.qualityAt === 0;
    this.qualityAt = now;
    const more = Math.max(0, received - this.counted.received);
    const less = Math.max(0, lost - this.counted.lost);
    const rate = this.counted.at ? (frames - this.counted.frames) / ((now - this.counted.at) / 1000) : 30;
    this.counted = { lost, received, frames, at: now };
    if (first) return;
    const loss = more + less ? Math.round((100 * less) / (more + less)) : 0;
    const seen = now - this.frameAt < STALLED_MS && frames > 0;
    const heard = now - this.soundAt < STALLED_MS;
    const bad = loss > 5 || (trip !== null && trip > 600) || rate < 8;
    const media = this.frame && this.frame.media;
    const expected = !media || (this.role === "staff" ? media.home_picture : media.staff_picture);
    this.quality.value = seen && expected ? (bad ? "choppy" : "good") : heard ? "sound_only" : "unknown";
    this.live.send(report(this.callId, "quality", {
      loss_percent: Math.min(100, loss),
      round_trip_ms: trip === null ? null : Math.min(600000, Math.round(trip)),
      width: width || null,
      height: height || null,
    }));
  }

  // --- the end

  drop() {
    const pc = this.pc;
    this.pc = null;
    this.textChannel = null;
    this.aliveChannel = null;
    this.connected.value = false;
    this.frames = 0;
    this.qualityAt = 0;
    this.counted = { lost: 0, received: 0, frames: 0, at: 0 };
    if (!pc) return;
    pc.onicecandidate = null;
    pc.ontrack = null;
    pc.onconnectionstatechange = null;
    pc.close();
  }

  /** The lease came back too late, or the time is over: this end hangs up by itself. */
  lose() {
    this.close();
    if (this.onLost) this.onLost();
  }

  /** Everything of this page stops; the call may go on elsewhere. */
  stopHere() {
    this.mediaTurn += 1;
    stopAll(this.mine.value);
    this.mine.value = null;
    this.lit.value = false;
    this.drop();
    this.theirs.value = null;
    this.timers.forEach((one) => clearInterval(one));
    this.timers = [];
    this.sayCamera();
  }

  close() {
    if (this.closed) return;
    this.stopHere();
    this.closed = true;
    this.stopWatchingSocket();
    sessionStorage.removeItem(`generation:${this.callId}`);
    if (this.begun) this.live.send(report(this.callId, "stopped"));
  }
}

/** @param {boolean} send @param {boolean} get @returns {RTCRtpTransceiverDirection} */
export function direction(send, get) {
  if (send && get) return "sendrecv";
  if (send) return "sendonly";
  return get ? "recvonly" : "inactive";
}

/** @param {{line: string, live: string}} now @param {unknown} data @returns {{line: string, live: string}} */
function readText(now, data) {
  /** @type {any} */
  let message;
  try { message = JSON.parse(String(data)); } catch (_) { return now; }
  if (message && message.clear === true) return { line: "", live: "" };
  if (message && typeof message.line === "string") return { line: message.line.slice(0, TEXT_MAX), live: "" };
  if (message && typeof message.live === "string") return { line: now.line, live: message.live.slice(0, TEXT_MAX) };
  return now;
}
