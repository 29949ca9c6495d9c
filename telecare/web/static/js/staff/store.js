// What the staff page knows: who I am, the day's rows, the call I am in. Views read, functions here change.
import { batch, computed, effect, signal } from "../lib/preact.js";
import { ApiError, get, onRefusal, post, sentence } from "../core/api.js";
import { CallEnd } from "../core/call.js";
import { bootValues, duration, firstOf, t } from "../core/i18n.js";
import { Live, SIGNED_OUT } from "../core/live.js";
import * as sound from "../core/sound.js";
import { Offers, dropSpare, getSpare } from "./offers.js";
import { STAFF, lockPage, ready, touched } from "./rows.js";

/** @typedef {import("../core/wire").Row} Row */
/** @typedef {import("../core/wire").VisitRow} VisitRow */
/** @typedef {import("../core/wire").CallRow} CallRow */
/** @typedef {import("../core/wire").HandOverRow} HandOverRow */
/** @typedef {import("../core/wire").AlarmRow} AlarmRow */
/** @typedef {import("../core/wire").CallFrame} CallFrame */
/** @typedef {import("../core/wire").ToPage} ToPage */
/**
 * @typedef {object} Me
 * @property {string} staff_id
 * @property {string} name
 * @property {string} given_name
 * @property {string[]} languages
 * @property {string[]} roles
 * @property {string[]} may
 * @property {string} tenant_name
 * @property {string} unit_id
 * @property {string} unit_name
 * @property {string} language
 * @property {{id: string, begun_at: string, tasks: string[]}|null} shift
 * @property {Array<{id: string, name: string}>} units
 * @property {Array<{id: string, name: string}>} colleagues
 * @property {Array<{id: string, name: string, minutes: number}>} insatser
 * @property {Array<{id: string, name: string}>} outcomes
 * @property {Array<{resident_id: string, given_name: string, kind: string}>} relations
 * @property {string} session_ends_at
 * @property {boolean} demo
 */
/** @typedef {{kind: "error"|"done", text: string}} Notice */
/** @typedef {{path: string[], query: URLSearchParams}} Route */
/** @template T @typedef {import("../lib/preact.js").Signal<T>} Sig */

export const IDLE_MS = 30 * 60 * 1000;
const NOT_MINE_MS = 1500;
const MY_CALL = "my-call";
const boot = bootValues();

export const me = signal(/** @type {Me|null} */ (null));
/** @type {Sig<Map<string, Row>>} */
export const rows = signal(new Map());
/** @type {Sig<boolean>} */
export const loaded = signal(false);
export const call = signal(/** @type {CallFrame|null} */ (null));
export const end = signal(/** @type {CallEnd|null} */ (null));
/** A call of mine that runs in another window or device. */
export const elsewhere = signal(/** @type {CallFrame|null} */ (null));
/** The call that ended last. */
export const last = signal(/** @type {CallFrame|null} */ (null));
export const notice = signal(/** @type {Notice|null} */ (null));
export const locked = signal(false);
export const waitingWhileLocked = signal(/** @type {Array<{id: string, since: string}>} */ ([]));
export const soundOn = signal(false);
/** The alarm's tone was played: did she hear it? */
export const toneAsked = signal(false);
/** The server's time, once a second. */
export const now = signal(Date.parse(bootValues().now || "") || Date.now());
/** To-dos ticked, by visit. */
export const ticked = signal(/** @type {{[visit: string]: number[]}} */ ({}));
/** Visits for which "Behöver besök" was pressed in the call, and when. */
export const sentOut = signal(/** @type {{[visit: string]: number}} */ ({}));

/** @returns {Route} */
function readRoute() {
  const [path, query] = location.hash.replace(/^#\/?/, "").split("?");
  return { path: path.split("/").filter(Boolean), query: new URLSearchParams(query || "") };
}
/** @type {Sig<Route>} */
export const route = signal(readRoute());
addEventListener("hashchange", () => { notice.value = null; route.value = readRoute(); });

/** @param {string} path */
export const go = (path) => { location.hash = `#/${path}`; };

/** @param {unknown} error */
export const complain = (error) => { notice.value = { kind: "error", text: sentence(error) }; };
/** @param {string} text */
export const tell = (text) => { notice.value = { kind: "done", text }; };

export const visits = computed(() => /** @type {VisitRow[]} */ (Array.from(rows.value.values())
  .filter((row) => row.row === "visit")).sort((a, b) => a.starts_at.localeCompare(b.starts_at)));
export const waiting = computed(() => /** @type {CallRow[]} */ (Array.from(rows.value.values())
  .filter((row) => row.row === "call")).sort((a, b) => a.since.localeCompare(b.since)));

/** Open alarms: the most urgent first, then the oldest. */
export const alarms = computed(() => /** @type {AlarmRow[]} */ (Array.from(rows.value.values())
  .filter((row) => row.row === "alarm")).sort((a, b) => a.priority - b.priority || a.since.localeCompare(b.since)));
/** @param {{tasks: string[]}|null} shift */
const takes = (shift) => !shift || !shift.tasks.length || shift.tasks.includes("alarm");
/** Those that nobody has, where she takes alarms in this shift. */
export const calling = computed(() => (me.value && me.value.may.includes("alarm") && takes(me.value.shift) ? alarms.value.filter((row) => row.state === "new") : []));
/** How many wait for somebody, me among others. */
export const unanswered = computed(() => calling.value.length + waiting.value.filter((row) => !row.taken_by).length + handOvers.value.filter(toMe).length);
/** Whose pages would sound now; null before anybody has said. */
export const receivers = computed(() => { for (const row of rows.value.values()) if (row.row === "receivers") return row; return null; });
/** @param {import("../core/wire").AbsenceKind} kind */
export const isAway = (kind) => t("absence.is", { where: t(`absence.kind.${kind}`) });

/** A home visit that I have said I go to, and am not done with. @param {string} id */
export function isMission(id) {
  const row = rows.value.get(id);
  return row !== undefined && row.row === "dispatch" && row.state !== "done" && me.value !== null && row.accepted_by_id === me.value.staff_id;
}

/** What is asked of me or my unit to take over, and what I ask of others. */
export const handOvers = computed(() => /** @type {HandOverRow[]} */ (Array.from(rows.value.values())
  .filter((row) => row.row === "hand_over" && (fromMe(row) || toMe(row)))));
/** @param {HandOverRow} row */
export const fromMe = (row) => me.value !== null && row.from_id === me.value.staff_id;
/** @param {HandOverRow} row */
export const toMe = (row) => me.value !== null && row.state === "asked" && !fromMe(row) && (row.to_id === null ? row.to_here : row.to_id === me.value.staff_id);

/** @param {string} id @returns {VisitRow|null} */
export const visitOf = (id) => visits.value.find((row) => row.id === id) || null;
/** The next visit that is still to be made, after this one. @param {string|null} id */
export const nextVisit = (id) => visits.value.find((row) => row.state === "planned" && row.id !== id && mineFirst(row)) || null;
/** @param {VisitRow} row */
const mineFirst = (row) => !me.value || !row.staff_id || row.staff_id === me.value.staff_id;

// --- the socket -------------------------------------------------------------------------------

let version = 0;
/** The call that began in this very page. */
let begunHere = "";
/** A call is being asked for: its first frame may come before the answer. */
export const starting = signal(false);
/** @type {number|undefined} */
let leaving;
let failures = 0;

export const live = new Live({
  protocol: STAFF,
  path: "/ws/staff",
  version: boot.version,
  onFrame: take,
  mayReload: () => !call.value && !end.value && !document.querySelector("form[data-edited]"),
  onClosed(code, wasOpen) {
    failures = wasOpen ? 0 : failures + 1;
    if (code === SIGNED_OUT) failures = 2;
    // A refused socket looks like a lost one: ask over HTTP which it is.
    if (failures >= 2 && failures % 4 === 2) get("/api/me").catch(() => {});
  },
});

/** @param {ToPage} frame */
function take(frame) {
  failures = 0;
  // Timers of a page in the background are held back; what the server sends is not.
  if (performance.now() - readyAt >= READY_MS) sayReady();
  if (locked.value) { takeLocked(frame); return; }
  switch (frame.type) {
    case "snapshot":
      batch(() => {
        version = frame.version;
        rows.value = new Map(frame.rows.map((row) => [row.id, named(row)]));
        loaded.value = true;
      });
      break;
    case "rows":
      if (frame.version !== version + 1) { live.subscribe(frame.unit); break; }
      version = frame.version;
      applyRows(frame.changed, frame.gone);
      break;
    case "nights": nights.value += 1; break;
    case "locked": lock(); takeLocked(frame); break;
    case "call": if (frame.kind !== "look") takeCall(frame); else { lookFrames.set(frame.call_id, frame); toEnd(frame.call_id, (one) => one.take(frame)); } break;
    case "signal": toEnd(frame.call_id, (one) => one.signal(frame)); break;
    case "lease": toEnd(frame.call_id, (one) => one.lease(frame)); break;
    case "refused": if (frame.about && frame.about !== "subscribe") break; notice.value = { kind: "error", text: firstOf([`error.${frame.code}`, "error.internal"]) }; break;
    default:
  }
}

/** Counts how often the night's lists may have changed (nights.js). */
export const nights = signal(0);
/** Looks at night, by their call. @type {Map<string, Pick<CallEnd, "take"|"signal"|"lease">>} */
export const looks = new Map();
/** What was said last of each, maybe before we had its number: it is not said twice. @type {Map<string, CallFrame>} */
export const lookFrames = new Map();

/** @param {string} callId @param {(one: Pick<CallEnd, "take"|"signal"|"lease">) => void} give */
function toEnd(callId, give) {
  const one = looks.get(callId) || (end.value && end.value.callId === callId ? end.value : null);
  if (one) give(one);
}

const WHO = ["resident_name", "resident_given_name", "staff_name", "accepted_by", "taken_by", "from_name", "to_name", "returned_from"];

/** Lists name nobody whose identity is protected: an empty name. @param {Row} row @returns {Row} */
function named(row) {
  const shown = /** @type {any} */ ({ ...row });
  WHO.forEach((who) => { if (shown[who] === "") shown[who] = t("protected.name"); });
  return shown;
}

/** @param {Row[]} changed @param {string[]} gone */
function applyRows(changed, gone) {
  const next = new Map(rows.value);
  gone.forEach((id) => next.delete(id));
  changed.forEach((row) => {
    if (row.row === "task" && row.kind === "visit_overdue" && !next.has(row.id)) sound.play("notice");
    if ((row.row === "technical" || row.row === "outage") && !next.has(row.id)) sound.play("notice");
    if (row.row === "hand_over" && !next.has(row.id) && toMe(row)) sound.play("notice");
    next.set(row.id, named(row));
  });
  rows.value = next;
}

/** A locked page keeps no personal data: only who waits, nameless, and since when. @param {ToPage} frame */
function takeLocked(frame) {
  if (frame.type === "locked") waitingWhileLocked.value = frame.waiting;
  // The server does not know yet.
  else if (frame.type === "snapshot" || frame.type === "rows") live.send(lockPage());
}

// --- calls ------------------------------------------------------------------------------------

/** @param {CallFrame} frame */
function takeCall(frame) {
  const held = sessionStorage.getItem(MY_CALL) === frame.call_id;
  if (frame.state === "ended") {
    if (elsewhere.value && elsewhere.value.call_id === frame.call_id) elsewhere.value = null;
    if (held || (call.value && call.value.call_id === frame.call_id)) ended(frame);
    return;
  }
  if (!held) { elsewhere.value = frame; return; }
  if (!frame.mine && end.value && end.value.callId === frame.call_id) { notMine(frame); return; }
  clearTimeout(leaving);
  batch(() => {
    call.value = frame;
    live.inCall = true;
    live.join(frame.call_id);
    if (frame.mine && (!end.value || end.value.callId !== frame.call_id)) end.value = new CallEnd(live, frame.call_id, "staff", { offers: (made) => new Offers(made, begunHere !== frame.call_id) });
    if (end.value) end.value.take(frame);
  });
  if (route.value.path[0] !== "call") go(`call/${frame.call_id}`);
}

/**
 * Another page of mine speaks for this end. Just after a reconnect that page is our own former self,
 * so the server is given a moment to see that we are back.
 * @param {CallFrame} frame
 */
function notMine(frame) {
  clearTimeout(leaving);
  call.value = frame;
  leaving = setTimeout(() => {
    if (!end.value || end.value.callId !== frame.call_id) return;
    end.value.elsewhere.value = true;
    end.value.stopHere();
  }, NOT_MINE_MS);
}

/** @param {CallFrame} frame */
function ended(frame) {
  clearTimeout(leaving);
  batch(() => {
    if (end.value) end.value.close();
    dropSpare();
    end.value = null;
    call.value = null;
    last.value = frame;
    live.inCall = false;
    live.leave(frame.call_id);
  });
  sessionStorage.removeItem(MY_CALL);
  if (frame.end_reason === "alarm_taken") return; // the alarm's page is where she is
  if (frame.visit_id) { go(`after/${frame.visit_id}`); return; }
  const alarm = alarms.value.find((one) => me.value && one.taken_by_id === me.value.staff_id && one.resident_id === frame.resident_id);
  if (route.value.path[0] === "call") go(alarm ? `alarm/${alarm.id}` : "");
  setTimeout(() => tell(endText(frame)), 50);
}

/** How a call without a visit ended, in a sentence. @param {CallFrame} frame */
export function endText(frame) {
  const reason = firstOf([`call.end.${frame.end_reason}`, "call.end.other"], { name: frame.resident_name });
  return frame.opened_at && frame.ended_at ? `${reason} ${t("call.lasted", { time: duration(Date.parse(frame.ended_at) - Date.parse(frame.opened_at)) })}` : reason;
}

/** `callId`: of a call that is there already. @param {string} path @param {object} body @param {string} [callId] */
async function startCall(path, body, callId) {
  getSpare();
  await unlockSound();
  starting.value = true;
  try {
    const made = await post(path, body);
    begunHere = callId || made.call_id;
    hold(begunHere);
  } catch (error) {
    dropSpare();
    throw error;
  } finally { starting.value = false; }
}

/** This window carries the call. @param {string} id */
function hold(id) {
  sessionStorage.setItem(MY_CALL, id);
  const known = elsewhere.value;
  elsewhere.value = null;
  live.inCall = true;
  go(`call/${id}`);
  live.join(id);
  // The frame may be there already, and the server does not say the same thing twice.
  if (known && known.call_id === id) takeCall(known);
}

/** Of whom an own relation asks why; `done` says whether she has said it. */
export const asking = signal(/** @type {{id: string, done: (said: boolean) => void}|null} */ (null));

/** Does it. Where she has stated a relation she says why first, and it is done again. @template T @param {string} residentId @param {() => Promise<T>} act @returns {Promise<T>} */
export async function withReason(residentId, act) {
  try { return await act(); } catch (error) {
    if (!(error instanceof ApiError) || error.code !== "reason_needed") throw error;
    const said = await new Promise((done) => { asking.value = { id: residentId, done }; });
    asking.value = null;
    if (!said) throw error;
    return act();
  }
}

/** @param {string} visitId */
export function ringVisit(visitId) {
  const visit = visitOf(visitId);
  return withReason(visit ? visit.resident_id : "", () => startCall(`/api/visits/${visitId}/ring`, {}));
}
/** @param {string} residentId */
export const ringResident = (residentId) => withReason(residentId, () => startCall("/api/calls", { resident_id: residentId }));

/** Answers someone who rings in. @param {string} callId */
export const takeCallIn = (callId) => startCall(`/api/calls/${callId}/take`, {}, callId);

/** The call of mine that another window has: carry it here instead. @param {string} callId */
export async function continueHere(callId) {
  begunHere = "";
  await unlockSound();
  if (end.value) end.value.close();
  end.value = null;
  if (call.value) elsewhere.value = call.value;
  live.leave(callId);
  hold(callId);
}

/** @param {string} callId */
export async function hangUp(callId) {
  if (end.value) end.value.stopHere();
  try {
    await post(`/api/calls/${callId}/hang-up`);
  } catch (error) {
    if (!(error instanceof ApiError) || (error.code !== "call_ended" && error.code !== "not_found")) throw error;
  }
}

/** @param {string} absenceId @param {string} name */
export async function comeHome(absenceId, name) {
  await post(`/api/absences/${absenceId}/home`);
  tell(t("absence.came_home", { name }));
}

/** @param {string} visitId @param {number} n @param {boolean} done */
export function tick(visitId, n, done) {
  const have = (ticked.value[visitId] || []).filter((one) => one !== n);
  ticked.value = { ...ticked.value, [visitId]: done ? [...have, n].sort((a, b) => a - b) : have };
}

// --- session, shift, lock ---------------------------------------------------------------------

/** What her role allows. */
export const mayLead = computed(() => me.value !== null && me.value.may.includes("lead"));
export const mayPlan = computed(() => me.value !== null && me.value.may.includes("plan"));
export const keepsSomething = computed(() => me.value !== null && me.value.may.some((one) => ["register", "invite", "configure"].includes(one)));
const WARN_MS = 30 * 60 * 1000;
/** When she must sign in anew, from half an hour before. @type {{value: string|null}} */
export const endsSoon = computed(() => (me.value && Date.parse(me.value.session_ends_at) - now.value <= WARN_MS ? me.value.session_ends_at : null));

export async function loadMe() {
  me.value = await get("/api/me");
  if (!me.value) return;
  live.subscribe(me.value.unit_id);
  sayReady(); // the shift may have begun just now
}

const READY_MS = 9500;
let readyAt = -READY_MS;

/** Whether an alarm would be heard here; the server counts those that say so every ten seconds. */
function sayReady() {
  if (live.send(ready(soundOn.value))) readyAt = performance.now();
}

export async function unlockSound() {
  soundOn.value = await sound.unlock();
}

/** The press unlocks the sound, and she hears the alarm's tone once. @param {string} unit @param {string[]} tasks */
export async function beginShift(unit, tasks) {
  await unlockSound();
  await post("/api/shifts/begin", { unit_id: unit, tasks });
  playTone();
  toneAsked.value = true;
  await loadMe();
}

export const playTone = () => sound.sample("alarm");

/** What she still holds is a page of its own. */
export async function endShift() {
  try {
    await post("/api/shifts/end");
  } catch (error) {
    if (!(error instanceof ApiError) || error.code !== "shift_holds_open") throw error;
    go("end-shift");
    return;
  }
  toneAsked.value = false;
  forget();
  await loadMe();
  if (route.value.path[0] === "end-shift") go("");
}

export async function signOut() {
  await post("/api/sign-out");
  leave();
}

export const KEPT = "telecare-kept";
export const FORGET = "forget";
/** What was kept for a time without network (kept.js). */
export function forget() {
  dispatchEvent(new Event(FORGET));
  return indexedDB.deleteDatabase(KEPT);
}

/** Nothing of hers stays in the browser. */
function leave() {
  sessionStorage.clear();
  const gone = forget();
  gone.onsuccess = gone.onerror = gone.onblocked = () => location.assign("/");
}

const TELL_MS = 60 * 1000;
let touchedAt = performance.now();
/** Of the touches the server has been told of, the newest. */
let toldOf = touchedAt;
for (const kind of ["keydown", "pointerdown", "touchstart"]) addEventListener(kind, () => { touchedAt = performance.now(); }, { passive: true });

/** Personal data leaves the page; who waits is still heard. */
export function lock() {
  if (locked.value || call.value) return;
  batch(() => {
    locked.value = true;
    waitingWhileLocked.value = waiting.value.filter((row) => !row.taken_by).map((row) => ({ id: row.id, since: row.since }));
    rows.value = new Map();
    me.value = null;
    last.value = null;
    elsewhere.value = null;
    notice.value = null;
    loaded.value = false;
  });
  live.send(lockPage());
  if (route.value.path.length) go("");
}

export async function unlocked() {
  touchedAt = performance.now();
  batch(() => {
    locked.value = false;
    waitingWhileLocked.value = [];
  });
  live.renew();
  await loadMe();
}

onRefusal.refused = (code) => {
  if (code === "session_locked") lock();
  else if (!call.value) leave();
};

setInterval(() => {
  now.value = live.now();
  if (performance.now() - touchedAt > IDLE_MS) lock();
  else if (touchedAt - toldOf > TELL_MS && live.send(touched())) toldOf = touchedAt;
  if (call.value) touchedAt = performance.now();
}, 1000);

effect(() => { if (soundOn.value) sayReady(); });

// The ring of those who wait, and the caller's own ring-back.
effect(() => {
  const mine = me.value;
  const frame = call.value;
  if (frame && (frame.state === "ringing" || frame.state === "requested") && frame.kind !== "call_in") { sound.play("ringback"); return; }
  if (frame) { sound.stop(); return; }
  if (calling.value.length && soundOn.value) { sound.play("alarm"); return; }
  const rings = locked.value ? waitingWhileLocked.value.length > 0 : waiting.value.some((row) => !row.taken_by && mine !== null && forMe(row, mine, now.value));
  if (rings && soundOn.value) sound.play("waiting");
  else sound.stop();
});

/** Those who speak her language are asked first. @param {CallRow} row @param {Me} mine @param {number} at */
export function forMe(row, mine, at) {
  return !row.first_for || !row.first_until || Date.parse(row.first_until) <= at || mine.languages.includes(row.first_for);
}
