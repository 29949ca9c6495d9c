// What only a staff page hears and says over the WebSocket: see core/protocol.js.
import { COMMON } from "../core/protocol.js";

/** @type {import("../core/protocol.js").Protocol} */
export const STAFF = {
  SHAPES: Object.assign({}, COMMON.SHAPES, {
    alarm: {
      row: "s", id: "s", state: "s", since: "s", trigger: "s", device: "s", place: "s", priority: "n", resident_id: "s",
      resident_name: "s", taken_by: "s?", taken_by_id: "s?", cancelled: "b", returned_from: "s?", returned_why: "s?",
      returned_at: "s?", next_at: "s?", unit_name: "s?", absent: "s?",
    },
    visit: {
      row: "s", id: "s", starts_at: "s", minutes: "n", insats: "s", resident_id: "s", resident_name: "s",
      resident_given_name: "s", resident_language: "s", staff_id: "s?", staff_name: "s?", state: "s",
      call_id: "s?", outcome: "s?", step: "s?", step_at: "s?", screen: "s", overdue_at: "s?", tasks: "n", unit_name: "s?",
    },
    waiting: {
      row: "s", id: "s", since: "s", resident_id: "s", resident_name: "s", resident_language: "s", source: "s",
      first_for: "s?", first_until: "s?", taken_by: "s?", next_unit_at: "s?", unit_name: "s?", absent: "s?",
    },
    task: {
      row: "s", id: "s", kind: "s", since: "s", resident_id: "s", resident_name: "s", unit_name: "s?", taken_by: "s?",
      taken_by_id: "s?", absent: "s?",
    },
    dispatch: {
      row: "s", id: "s", state: "s", asked_at: "s", resident_id: "s", resident_name: "s", accepted_by: "s?",
      unit_name: "s?", absent: "s?", accepted_by_id: "s?", arrive_by: "s?",
    },
    hand_over: {
      row: "s", id: "s", kind: "s", state: "s", since: "s", resident_id: "s", resident_name: "s", from_id: "s", from_name: "s",
      to_id: "s?", to_name: "s", to_here: "b",
    },
    receivers: { row: "s", id: "s", names: "[s]", records_owed: "n?" },
    technical: {
      row: "s", id: "s", kind: "s", since: "s", device: "s", detail: "s", resident_id: "s?", resident_name: "s",
      taken_by: "s?", taken_by_id: "s?", unit_name: "s?",
    },
    silent_home: { resident_id: "s", resident_name: "s" },
    outage: { row: "s", id: "s", shares: "s", name: "s", since: "s", homes: "[@silent_home]", taken_by: "s?", taken_by_id: "s?" },
    absence: { row: "s", id: "s", kind: "s", since: "s", until: "s?", resident_id: "s", resident_name: "s", unit_name: "s?" },
    snapshot: { type: "s", view: "s", unit: "s", version: "n", rows: "[@row]" },
    rows: { type: "s", view: "s", unit: "s", version: "n", changed: "[@row]", gone: "[s]" },
    nights: { type: "s" },
    waits: { id: "s", since: "s" },
    locked: { type: "s", waiting: "[@waits]" },
  }),
  ROWS: { alarm: "alarm", receivers: "receivers", technical: "technical", outage: "outage", visit: "visit", call: "waiting", task: "task", dispatch: "dispatch", hand_over: "hand_over", absence: "absence" },
  FRAMES: COMMON.FRAMES.concat(["snapshot", "rows", "locked", "nights"]),
};

/** @returns {import("../core/wire").Touched} */
export const touched = () => ({ type: "touched" });
/** @param {boolean} sound @returns {import("../core/wire").Ready} */
export const ready = (sound) => ({ type: "ready", sound });
/** @returns {import("../core/wire").Lock} */
export const lockPage = () => ({ type: "lock" });
