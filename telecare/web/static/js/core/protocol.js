// What crosses the WebSocket. Mirrors telecare/wire/signalling.py; tests/web/test_protocol.py holds
// the two together, field by field.

/** @typedef {"visit"|"video_call"|"call_in"|"look"|"robot"|"alarm"} CallKind */
/** @typedef {"requested"|"ringing"|"connecting"|"open"|"dark"|"ended"} CallState */
/** @typedef {"sv"|"fi"|"en"} Language */
/** @typedef {"offer"|"answer"|"candidate"} SignalKind */

/** @typedef {object} Hello
 * @property {"hello"} type
 * @property {string} version
 * @property {string} now
 */
/** @typedef {object} VisitRow
 * @property {"visit"} row
 * @property {string} id
 * @property {string} starts_at
 * @property {number} minutes
 * @property {string} insats
 * @property {string} resident_id
 * @property {string} resident_name
 * @property {string} resident_given_name
 * @property {Language} resident_language
 * @property {string|null} staff_id
 * @property {string|null} staff_name
 * @property {"planned"|"ringing"|"in_call"|"unfinished"|"needs_step"|"stepped"|"done"|"cancelled"} state
 * @property {string|null} call_id
 * @property {string|null} outcome
 * @property {string|null} step
 * @property {string|null} step_at
 * @property {"here"|"silent"|"off"|"none"} screen
 * @property {string|null} overdue_at
 * @property {number} tasks
 */
/** @typedef {object} CallRow
 * @property {"call"} row
 * @property {string} id
 * @property {string} since
 * @property {string} resident_id
 * @property {string} resident_name
 * @property {Language} resident_language
 * @property {"tv"|"unit"} source
 * @property {Language|null} first_for
 * @property {string|null} first_until
 * @property {string|null} taken_by
 * @property {string|null} next_unit_at
 */
/** @typedef {object} TaskRow
 * @property {"task"} row
 * @property {string} id
 * @property {"call_back"|"second_talk"|"visit_overdue"|"ask_again"|"follow_up"} kind
 * @property {string} since
 * @property {string} resident_id
 * @property {string} resident_name
 */
/** @typedef {object} DispatchRow
 * @property {"dispatch"} row
 * @property {string} id
 * @property {"asked"|"accepted"|"arrived"|"done"} state
 * @property {string} asked_at
 * @property {string} resident_id
 * @property {string} resident_name
 * @property {string|null} accepted_by
 */
/** @typedef {VisitRow|CallRow|TaskRow|DispatchRow} Row */
/** @typedef {object} Snapshot
 * @property {"snapshot"} type
 * @property {"today"} view
 * @property {string} unit
 * @property {number} version
 * @property {Row[]} rows
 */
/** @typedef {object} Rows
 * @property {"rows"} type
 * @property {"today"} view
 * @property {string} unit
 * @property {number} version
 * @property {Row[]} changed
 * @property {string[]} gone
 */
/** @typedef {object} IceServer
 * @property {string[]} urls
 * @property {string|null} username
 * @property {string|null} credential
 */
/** @typedef {object} Media
 * @property {boolean} home_picture
 * @property {boolean} home_sound
 * @property {boolean} staff_picture
 * @property {boolean} staff_sound
 */
/** @typedef {object} CallFrame
 * @property {"call"} type
 * @property {string} call_id
 * @property {CallKind} kind
 * @property {CallState} state
 * @property {string} resident_id
 * @property {string} resident_name
 * @property {string} resident_given_name
 * @property {string|null} staff_id
 * @property {string|null} staff_name
 * @property {string|null} staff_given_name
 * @property {string|null} unit_name
 * @property {string|null} visit_id
 * @property {"tv"|"unit"|null} answered_by
 * @property {boolean} mine
 * @property {string|null} ring_until
 * @property {string|null} answers_itself_at
 * @property {string|null} opened_at
 * @property {string|null} ended_at
 * @property {string|null} end_reason
 * @property {Media|null} media
 * @property {number|null} max_s
 * @property {IceServer[]} ice_servers
 * @property {boolean} relay_only
 * @property {string|null} phone
 */
/** @typedef {object} SignalFrame
 * @property {"signal"} type
 * @property {string} call_id
 * @property {number} n
 * @property {number} generation
 * @property {SignalKind} kind
 * @property {string} body
 */
/** @typedef {object} Lease
 * @property {"lease"} type
 * @property {string} call_id
 * @property {number} echo_ms
 * @property {number} lease_ms
 */
/** @typedef {object} NextThing
 * @property {string} at
 * @property {"visit"} kind
 * @property {string|null} who
 * @property {string} insats
 * @property {"planned"|"late"|"moved"|"taken_over"} state
 */
/** @typedef {object} Home
 * @property {"home"} type
 * @property {number} version
 * @property {string} resident_given_name
 * @property {Language} language
 * @property {NextThing|null} next
 * @property {NextThing[]} today
 * @property {"off"|"on"|"unknown"} cameras
 * @property {string|null} camera_heard_at
 * @property {string} unit_phone
 * @property {string} unit_name
 * @property {number} scale_percent
 * @property {string|null} ask_faces_for
 * @property {Array<"video_visit"|"auto_answer">} yes
 */
/** @typedef {object} Refused
 * @property {"refused"} type
 * @property {string} code
 * @property {string|null} about
 */
/** @typedef {Hello|Snapshot|Rows|CallFrame|SignalFrame|Lease|Home|Refused} ToPage */

/** @typedef {object} Subscribe
 * @property {"subscribe"} type
 * @property {"today"} view
 * @property {string} unit
 */
/** @typedef {object} Join
 * @property {"join"} type
 * @property {string} call_id
 * @property {number} after
 */
/** @typedef {object} Signal
 * @property {"signal"} type
 * @property {string} call_id
 * @property {number} generation
 * @property {SignalKind} kind
 * @property {string} body
 */
/** @typedef {object} Alive
 * @property {"alive"} type
 * @property {string} call_id
 * @property {number} mono_ms
 */
/** @typedef {object} Report
 * @property {"report"} type
 * @property {string} call_id
 * @property {"first_frame"|"dark"|"lit"|"quality"|"stopped"|"camera_on"|"camera_off"} what
 * @property {number|null} [loss_percent]
 * @property {number|null} [round_trip_ms]
 * @property {number|null} [width]
 * @property {number|null} [height]
 */
/** @typedef {Subscribe|Join|Signal|Alive|Report} FromPage */

/**
 * Kinds: s text, n number, b yes or no, @x shape x, [k] list of k; `?` after it: may be null.
 * @type {{[shape: string]: {[field: string]: string}}}
 */
export const SHAPES = {
  hello: { type: "s", version: "s", now: "s" },
  visit: {
    row: "s", id: "s", starts_at: "s", minutes: "n", insats: "s", resident_id: "s", resident_name: "s",
    resident_given_name: "s", resident_language: "s", staff_id: "s?", staff_name: "s?", state: "s",
    call_id: "s?", outcome: "s?", step: "s?", step_at: "s?", screen: "s", overdue_at: "s?", tasks: "n",
  },
  waiting: {
    row: "s", id: "s", since: "s", resident_id: "s", resident_name: "s", resident_language: "s", source: "s",
    first_for: "s?", first_until: "s?", taken_by: "s?", next_unit_at: "s?",
  },
  task: { row: "s", id: "s", kind: "s", since: "s", resident_id: "s", resident_name: "s" },
  dispatch: {
    row: "s", id: "s", state: "s", asked_at: "s", resident_id: "s", resident_name: "s", accepted_by: "s?",
  },
  snapshot: { type: "s", view: "s", unit: "s", version: "n", rows: "[@row]" },
  rows: { type: "s", view: "s", unit: "s", version: "n", changed: "[@row]", gone: "[s]" },
  ice: { urls: "[s]", username: "s?", credential: "s?" },
  media: { home_picture: "b", home_sound: "b", staff_picture: "b", staff_sound: "b" },
  call: {
    type: "s", call_id: "s", kind: "s", state: "s", resident_id: "s", resident_name: "s",
    resident_given_name: "s", staff_id: "s?", staff_name: "s?", staff_given_name: "s?", unit_name: "s?",
    visit_id: "s?", answered_by: "s?", mine: "b", ring_until: "s?", answers_itself_at: "s?", opened_at: "s?",
    ended_at: "s?", end_reason: "s?", media: "@media?", max_s: "n?", ice_servers: "[@ice]",
    relay_only: "b", phone: "s?",
  },
  signal: { type: "s", call_id: "s", n: "n", generation: "n", kind: "s", body: "s" },
  lease: { type: "s", call_id: "s", echo_ms: "n", lease_ms: "n" },
  next: { at: "s", kind: "s", who: "s?", insats: "s", state: "s" },
  home: {
    type: "s", version: "n", resident_given_name: "s", language: "s", next: "@next?", today: "[@next]",
    cameras: "s", camera_heard_at: "s?", unit_phone: "s", unit_name: "s", scale_percent: "n",
    ask_faces_for: "s?", yes: "[s]",
  },
  refused: { type: "s", code: "s", about: "s?" },
};

/** What `row` says, and the shape it has.
 * @type {{[row: string]: string}} */
export const ROWS = { visit: "visit", call: "waiting", task: "task", dispatch: "dispatch" };
const FRAMES = ["hello", "snapshot", "rows", "call", "signal", "lease", "home", "refused"];

/** @type {{[kind: string]: string}} */
const TYPES = { s: "string", n: "number", b: "boolean" };

/** @param {string} kind @param {any} value @returns {boolean} */
function fits(kind, value) {
  if (kind.endsWith("?")) {
    if (value === null || value === undefined) return true;
    kind = kind.slice(0, -1);
  }
  if (kind[0] === "[") return Array.isArray(value) && value.every((one) => fits(kind.slice(1, -1), one));
  if (kind === "@row") return Boolean(value) && ROWS[value.row] !== undefined && matches(ROWS[value.row], value);
  if (kind[0] === "@") return matches(kind.slice(1), value);
  return typeof value === TYPES[kind];
}

/** @param {string} shape @param {any} value @returns {boolean} */
export function matches(shape, value) {
  const fields = SHAPES[shape];
  return typeof value === "object" && value !== null && Object.keys(fields).every((f) => fits(fields[f], value[f]));
}

/**
 * A frame, or null when it is none of ours (an older or newer server: skipped, never guessed).
 * @param {unknown} text @returns {ToPage|null}
 */
export function parse(text) {
  if (typeof text !== "string") return null;
  /** @type {any} */
  let frame;
  try { frame = JSON.parse(text); } catch (_) { return null; }
  if (!frame || FRAMES.indexOf(frame.type) < 0) return null;
  if (frame.type === "call" && frame.ice_servers === undefined) frame.ice_servers = [];
  if (frame.type === "call" && frame.relay_only === undefined) frame.relay_only = false;
  return matches(frame.type, frame) ? frame : null;
}

/** What a page sends: made only here, so that a new field has one place.
 * @type {{[type: string]: string[]}} */
export const FROM_PAGE = {
  subscribe: ["type", "view", "unit"],
  join: ["type", "call_id", "after"],
  signal: ["type", "call_id", "generation", "kind", "body"],
  alive: ["type", "call_id", "mono_ms"],
  report: ["type", "call_id", "what", "loss_percent", "round_trip_ms", "width", "height"],
};

/** @param {string} unit @returns {Subscribe} */
export const subscribe = (unit) => ({ type: "subscribe", view: "today", unit });
/** @param {string} call_id @param {number} after @returns {Join} */
export const join = (call_id, after) => ({ type: "join", call_id, after });
/** @param {string} call_id @param {number} generation @param {SignalKind} kind @param {string} body @returns {Signal} */
export const signalTo = (call_id, generation, kind, body) => ({ type: "signal", call_id, generation, kind, body });
/** @param {string} call_id @param {number} mono_ms @returns {Alive} */
export const alive = (call_id, mono_ms) => ({ type: "alive", call_id, mono_ms: Math.floor(mono_ms) });
/** @param {string} call_id @param {Report["what"]} what @param {Partial<Report>} [more] @returns {Report} */
export const report = (call_id, what, more) => Object.assign({ type: /** @type {"report"} */ ("report"), call_id, what }, more);
