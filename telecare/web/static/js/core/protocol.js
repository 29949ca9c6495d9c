// What crosses the WebSocket. Mirrors telecare/wire/signalling.py; types: wire.d.ts.

/** @typedef {import("./wire").ToPage} ToPage */

/**
 * Kinds: s text, n number, b yes or no, @x shape x, [k] list of k; `?` after it: may be null.
 * @type {{[shape: string]: {[field: string]: string}}}
 */
export const SHAPES = {
  hello: { type: "s", version: "s", now: "s" },
  ice: { urls: "[s]", username: "s?", credential: "s?" },
  media: { home_picture: "b", home_sound: "b", staff_picture: "b", staff_sound: "b" },
  call: {
    type: "s", call_id: "s", kind: "s", state: "s", resident_id: "s", resident_name: "s",
    resident_given_name: "s", staff_id: "s?", staff_name: "s?", staff_given_name: "s?", unit_name: "s?",
    visit_id: "s?", answered_by: "s?", mine: "b", ring_until: "s?", answers_itself_at: "s?", opened_at: "s?",
    ended_at: "s?", end_reason: "s?", media: "@media?", max_s: "n?", ice_servers: "[@ice]",
    relay_only: "b", connects_early: "b", phone: "s?",
  },
  signal: { type: "s", call_id: "s", n: "n", generation: "n", kind: "s", body: "s" },
  lease: { type: "s", call_id: "s", echo_ms: "n", lease_ms: "n" },
  next: { at: "s", kind: "s", who: "s?", insats: "s", state: "s" },
  home: {
    type: "s", version: "n", resident_given_name: "s", language: "s", next: "@next?", today: "[@next]",
    cameras: "s", camera_heard_at: "s?", unit_phone: "s", unit_name: "s", scale_percent: "n",
    ask_faces_for: "s?", yes: "[s]", shows_looks: "b", alarm: "@tv_alarm?", night: "s",
  },
  tv_alarm: { id: "s", taken: "b", by: "s", cancelled: "b" },
  refused: { type: "s", code: "s", about: "s?" },
};

/** @typedef {{SHAPES: typeof SHAPES, ROWS: {[row: string]: string}, FRAMES: string[]}} Protocol */

/** What both kinds of page understand; staff pages more (staff/rows.js). @type {Protocol} */
export const COMMON = { SHAPES, ROWS: {}, FRAMES: ["hello", "call", "signal", "lease", "home", "refused"] };

/** @type {{[kind: string]: string}} */
const TYPES = { s: "string", n: "number", b: "boolean" };

/** @param {Protocol} known @param {string} kind @param {any} value @returns {boolean} */
function fits(known, kind, value) {
  if (kind.endsWith("?")) {
    if (value === null || value === undefined) return true;
    kind = kind.slice(0, -1);
  }
  if (kind[0] === "[") return Array.isArray(value) && value.every((one) => fits(known, kind.slice(1, -1), one));
  if (kind === "@row") return Boolean(value) && known.ROWS[value.row] !== undefined && matches(known, known.ROWS[value.row], value);
  if (kind[0] === "@") return matches(known, kind.slice(1), value);
  return typeof value === TYPES[kind];
}

/** @param {Protocol} known @param {string} shape @param {any} value @returns {boolean} */
function matches(known, shape, value) {
  const fields = known.SHAPES[shape];
  return typeof value === "object" && value !== null && Object.keys(fields).every((f) => fits(known, fields[f], value[f]));
}

/**
 * A frame, or null when it is none of ours (an older or newer server: skipped, never guessed).
 * @param {unknown} text @param {Protocol} known @returns {ToPage|null}
 */
export function parse(text, known) {
  if (typeof text !== "string") return null;
  /** @type {any} */
  let frame;
  try { frame = JSON.parse(text); } catch (_) { return null; }
  if (!frame || known.FRAMES.indexOf(frame.type) < 0) return null;
  if (frame.type === "call" && frame.ice_servers === undefined) frame.ice_servers = [];
  if (frame.type === "call" && frame.relay_only === undefined) frame.relay_only = false;
  if (frame.type === "call" && frame.connects_early === undefined) frame.connects_early = false;
  return matches(known, frame.type, frame) ? frame : null;
}

// What a page sends: made only here, so that a new field has one place.
/** @param {string} unit @returns {import("./wire").Subscribe} */
export const subscribe = (unit) => ({ type: "subscribe", view: "today", unit });
/** @param {string} call_id @param {number} after @returns {import("./wire").Join} */
export const join = (call_id, after) => ({ type: "join", call_id, after });
/** @param {string} call_id @param {number} generation @param {import("./wire").SignalKind} kind @param {string} body @returns {import("./wire").Signal} */
export const signalTo = (call_id, generation, kind, body) => ({ type: "signal", call_id, generation, kind, body });
/** @param {string} call_id @param {number} mono_ms @returns {import("./wire").Alive} */
export const alive = (call_id, mono_ms) => ({ type: "alive", call_id, mono_ms: Math.floor(mono_ms) });
/** @param {string} call_id @param {import("./wire").Report["what"]} what @param {Partial<import("./wire").Report>} [more] @returns {import("./wire").Report} */
export const report = (call_id, what, more) => Object.assign({ type: /** @type {"report"} */ ("report"), call_id, what }, more);
