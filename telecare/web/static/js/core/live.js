// One WebSocket per page: resumes by itself, asks anew for what it followed, tells when contact is lost.
import { signal } from "../lib/preact.js";
import { bootValues } from "./i18n.js";
import { join, parse, subscribe } from "./protocol.js";

/** @typedef {import("./wire").ToPage} ToPage */
/** @typedef {import("./wire").FromPage} FromPage */

const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 5000;
const BANNER_AFTER_MS = 5000;
/** The server closes so when the session is gone. */
export const SIGNED_OUT = 4401;
const CONNECT_PATIENCE_MS = 8000;

/** When this page came, on performance.now(). */
const madeAt = () => {
  const [page] = /** @type {PerformanceNavigationTiming[]} */ (performance.getEntriesByType("navigation"));
  return page ? page.responseStart : performance.now();
};

/**
 * @typedef {object} LiveOptions
 * @property {string} path
 * @property {string} version
 * @property {(frame: ToPage) => void} onFrame
 * @property {import("./protocol.js").Protocol} protocol
 * @property {() => boolean} mayReload  true when nothing is lost by a reload: never in a call
 * @property {(code: number, wasOpen: boolean) => void} [onClosed]
 */

export class Live {
  /** @param {LiveOptions} options */
  constructor(options) {
    this.options = options;
    /** "ok" | "trying": no contact for 5 s. */
    this.contact = signal(/** @type {"ok"|"trying"} */ ("ok"));
    /** @type {import("../lib/preact.js").Signal<boolean>} */
    this.open = signal(false);
    /** When contact was lost, by the page's clock. @type {number|null} */
    this.lostAt = null;
    /** @type {WebSocket|null} */
    this.socket = null;
    /** @type {string|null} */
    this.unit = null;
    /** Joined calls and the highest signal number seen. @type {Map<string, number>} */
    this.joined = new Map();
    this.wait = FIRST_WAIT_MS;
    this.heardAt = performance.now();
    this.connectedAt = 0;
    this.hellos = 0;
    this.helloAt = 0;
    this.beat = 0;
    const { now } = bootValues();
    // The server's clock when it made the page; a page kept by the device has only its own.
    this.offset = now ? Date.parse(now) - madeAt() : Date.now() - performance.now();
    this.outdated = false;
    this.stopped = false;
    this.inCall = false;
    /** @type {number|undefined} */
    this.timer = undefined;
    addEventListener("online", () => this.tryNow());
    document.addEventListener("visibilitychange", () => { if (!document.hidden && !this.socket) this.tryNow(); });
    setInterval(() => this.watch(), 500);
  }

  start() {
    this.stopped = false;
    this.connect();
  }

  stop() {
    this.stopped = true;
    clearTimeout(this.timer);
    if (this.socket) this.socket.close();
  }

  /** A new connection, as whoever is signed in now. */
  renew() {
    const old = this.socket;
    this.socket = null;
    this.open.value = false;
    if (old) old.close();
    clearTimeout(this.timer);
    this.wait = FIRST_WAIT_MS;
    this.connect();
  }

  /** The server's wall clock, as far as this page knows it. @returns {number} */
  now() {
    return performance.now() + this.offset;
  }

  tryNow() {
    if (this.stopped || (this.socket && this.socket.readyState <= WebSocket.OPEN)) return;
    clearTimeout(this.timer);
    this.wait = FIRST_WAIT_MS;
    this.connect();
  }

  connect() {
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(`${scheme}//${location.host}${this.options.path}`);
    let wasOpen = false;
    this.socket = socket;
    this.connectedAt = performance.now();
    this.hellos = 0;
    this.beat = 0;
    socket.onopen = () => {
      wasOpen = true;
      this.heard();
      this.open.value = true;
      if (this.unit) this.send(subscribe(this.unit));
      this.joined.forEach((after, id) => this.send(join(id, after)));
    };
    socket.onmessage = (event) => {
      if (socket !== this.socket) return;
      this.heard();
      const frame = parse(event.data, this.options.protocol);
      if (frame) this.take(frame);
    };
    socket.onclose = (event) => {
      if (socket !== this.socket) return;
      this.socket = null;
      this.open.value = false;
      if (this.lostAt === null) this.lostAt = performance.now();
      if (this.options.onClosed) this.options.onClosed(event.code, wasOpen && event.code !== SIGNED_OUT);
      this.later();
    };
  }

  later() {
    if (this.stopped) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.connect(), this.wait * (0.7 + 0.6 * Math.random()));
    this.wait = Math.min(LONGEST_WAIT_MS, this.wait * 2);
  }

  heard() {
    this.heardAt = performance.now();
  }

  /** @param {ToPage} frame */
  take(frame) {
    this.lostAt = null;
    this.wait = FIRST_WAIT_MS;
    this.contact.value = "ok";
    if (frame.type === "hello") {
      const at = performance.now();
      this.offset = Date.parse(frame.now) - at;
      this.hellos += 1;
      if (this.hellos > 1) this.beat = at - this.helloAt;
      this.helloAt = at;
      this.outdated = frame.version !== this.options.version;
      this.maybeReload();
    }
    if (frame.type === "signal") {
      const known = this.joined.get(frame.call_id);
      if (known !== undefined && frame.n > known) this.joined.set(frame.call_id, frame.n);
    }
    this.options.onFrame(frame);
  }

  /** A new version is fetched when nothing is lost by it. */
  maybeReload() {
    if (!this.outdated || !this.options.mayReload()) return;
    const tried = `reloaded:${this.options.version}`;
    const last = Number(sessionStorage.getItem(tried) || 0);
    if (Date.now() - last < 60000) return;
    sessionStorage.setItem(tried, String(Date.now()));
    location.reload();
  }

  /** How long silence on an open socket may last before it counts as lost. */
  patience() {
    return this.inCall ? BANNER_AFTER_MS : Math.max(BANNER_AFTER_MS, 2 * this.beat + 1000);
  }

  watch() {
    const now = performance.now();
    const socket = this.socket;
    if (socket && socket.readyState === WebSocket.CONNECTING && now - this.connectedAt > CONNECT_PATIENCE_MS) socket.close();
    if (socket && socket.readyState === WebSocket.OPEN && now - this.heardAt > this.patience()) {
      // Half-open: waiting for close() would wait for the dead network, so the socket is left to itself.
      socket.onclose = null;
      socket.close();
      this.socket = null;
      this.open.value = false;
      this.lostAt = this.heardAt;
      this.later();
    }
    if (this.lostAt !== null && now - this.lostAt > BANNER_AFTER_MS) this.contact.value = "trying";
    if (this.outdated) this.maybeReload();
  }

  /** @param {FromPage} frame @returns {boolean} false when there is no open socket */
  send(frame) {
    if (!this.socket || this.socket.readyState !== WebSocket.OPEN) return false;
    this.socket.send(JSON.stringify(frame));
    return true;
  }

  /** @param {string} unit */
  subscribe(unit) {
    this.unit = unit;
    this.send(subscribe(unit));
  }

  /** @param {string} callId */
  join(callId) {
    if (this.joined.has(callId)) return;
    this.joined.set(callId, 0);
    this.send(join(callId, 0));
  }

  /** @param {string} callId */
  leave(callId) {
    this.joined.delete(callId);
  }
}
