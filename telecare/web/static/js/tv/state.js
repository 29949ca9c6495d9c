// What the TV page knows: the home, the call, contact. Views read, functions here change.
import { effect, signal } from "../lib/preact.js";
import { ApiError, get, post } from "../core/api.js";
import { CallEnd } from "../core/call.js";
import { bootValues, hourOf, t } from "../core/i18n.js";
import { Live, SIGNED_OUT } from "../core/live.js";
import { COMMON } from "../core/protocol.js";
import * as sound from "../core/sound.js";

/** @typedef {import("../core/wire").Home} Home */
/** @typedef {import("../core/wire").CallFrame} CallFrame */
/** @typedef {import("../core/wire").ToPage} ToPage */
/** @typedef {"home"|"day"|"yes"|"looks"|"pairing"|"word"|"faces"|"nobody"|"over"|"taken"} Screen */
/** @template T @typedef {import("../lib/preact.js").Signal<T>} Sig */

const IDLE_MS = 120000;
const NO_CONTACT_MS = 10000;
const CAMERA_FRESH_MS = 40000;
const NOT_MINE_MS = 1500;
const KEPT = "telecare-tv";
const boot = bootValues();

export const home = signal(/** @type {Home|null} */ (null));
export const call = signal(/** @type {CallFrame|null} */ (null));
export const end = signal(/** @type {CallEnd|null} */ (null));
export const last = signal(/** @type {CallFrame|null} */ (null));
export const screen = signal(/** @type {Screen} */ ("home"));
/** A sentence for the resident when a press led nowhere. */
export const problem = signal("");
export const now = signal(Date.now());
export const awake = signal(false);
/** The auto-answer was stopped by a key: for which call. */
export const stoppedFor = signal("");
/** Seconds until she is connected by itself, or null. */
export const countdown = signal(/** @type {number|null} */ (null));
/** Night as the clock says, unless somebody is awake at the remote. */
export const night = signal(false);
/** No contact since (wall clock), or null. */
export const cutSince = signal(/** @type {number|null} */ (null));

/** What must be there without a network: the number to ring. @returns {{unit_phone: string, unit_name: string}} */
export function kept() {
  try {
    return Object.assign({ unit_phone: "", unit_name: "" }, JSON.parse(localStorage.getItem(KEPT) || "{}"));
  } catch (_) {
    return { unit_phone: "", unit_name: "" };
  }
}

let homeAt = 0;
let cameraAge = Infinity;
let pressedAt = performance.now();
let callStartedHere = "";
let failures = 0;
let spokenFor = "";
/** Calls that another window of this screen has taken over. @type {Set<string>} */
const given = new Set();
/** @type {number|undefined} */
let leaving;

export const live = new Live({
  protocol: COMMON,
  path: "/ws/tv",
  version: boot.version,
  onFrame: take,
  mayReload: () => !call.value && !end.value && screen.value !== "faces" && screen.value !== "word",
  onClosed(code, wasOpen) {
    failures = wasOpen ? 0 : failures + 1;
    if (code === SIGNED_OUT) failures = 2;
    // A refused socket looks like a lost one: the pairing answer says which it is.
    if (failures % 3 === 2) askPaired();
  },
});

/** @param {ToPage} frame */
function take(frame) {
  failures = 0;
  if (frame.type === "home") takeHome(frame);
  else if (frame.type === "call") takeCall(frame);
  else if (frame.type === "signal") { if (end.value && end.value.callId === frame.call_id) end.value.signal(frame); }
  else if (frame.type === "lease") { if (end.value && end.value.callId === frame.call_id) end.value.lease(frame); }
}

/** @param {Home} frame */
function takeHome(frame) {
  homeAt = performance.now();
  cameraAge = frame.camera_heard_at ? Math.max(0, live.now() - Date.parse(frame.camera_heard_at)) : 0;
  home.value = frame;
  if (screen.value === "pairing") screen.value = "home";
  try { localStorage.setItem(KEPT, JSON.stringify({ unit_phone: frame.unit_phone, unit_name: frame.unit_name })); } catch (_) { /* no storage: only the cache is poorer */ }
  document.documentElement.className = `scale-${frame.scale_percent}`;
  if (frame.language !== boot.lang) reloadFor(frame.language);
}

/** The page is in the resident's language: the server writes it so at the next load. @param {string} language */
function reloadFor(language) {
  if (call.value || sessionStorage.getItem("language") === language) return;
  sessionStorage.setItem("language", language);
  location.reload();
}

/** "off", "on", or "unknown" when nothing was heard for 40 s. @returns {"off"|"on"|"unknown"} */
export function cameras() {
  if (end.value && end.value.cameraOn.value) return "on";
  const frame = home.value;
  // Read so that the answer grows old with the clock.
  const at = now.value && performance.now();
  if (!frame) return "unknown";
  if (!frame.camera_heard_at) return cutSince.value !== null ? "unknown" : frame.cameras;
  return cameraAge + (at - homeAt) > CAMERA_FRESH_MS ? "unknown" : frame.cameras;
}

// --- calls

/** @param {CallFrame} frame */
function takeCall(frame) {
  const current = call.value;
  if (current && current.call_id !== frame.call_id && current.state !== "ended" && frame.state === "ended") return;
  if (frame.state === "ended") { if (current && current.call_id === frame.call_id) ended(frame); return; }
  clearTimeout(leaving);
  if (frame.state !== "requested" && frame.state !== "ringing" && !frame.mine) {
    if (given.has(frame.call_id)) return;
    // Just after a load or a reconnect our own former page still speaks for this screen: join, and wait.
    if (frame.answered_by !== "unit" && (!current || end.value)) {
      live.join(frame.call_id);
      if (end.value) leaving = setTimeout(() => { given.add(frame.call_id); goesOnElsewhere(); }, NOT_MINE_MS);
      return;
    }
    if (!current || current.call_id !== frame.call_id) return;
    // Another screen in the home answered.
    goesOnElsewhere();
    return;
  }
  live.join(frame.call_id);
  live.inCall = true;
  call.value = frame;
  problem.value = "";
  if (frame.mine && (frame.state === "connecting" || frame.state === "open" || frame.state === "dark")) {
    if (!end.value) end.value = new CallEnd(live, frame.call_id, "home", { onLost: () => lost(frame.call_id) });
    end.value.take(frame);
  }
}

/** Another screen, or another window of this one, has the call: says so for a while. */
function goesOnElsewhere() {
  forget();
  screen.value = "taken";
  setTimeout(() => { if (screen.value === "taken") screen.value = "home"; }, 6000);
}

/** @param {CallFrame} frame */
function ended(frame) {
  const talked = Boolean(frame.opened_at) && end.value !== null;
  last.value = frame;
  forget();
  if (frame.kind === "call_in" && frame.end_reason === "no_answer") {
    screen.value = "nobody";
    sound.speak(`${t("tv.nobody.title")} ${t("tv.nobody.we_call")}`, boot.lang);
    return;
  }
  screen.value = talked ? "over" : "home";
  if (talked) setTimeout(() => { if (screen.value === "over") screen.value = wantsFaces() ? "faces" : "home"; }, 2500);
}

const wantsFaces = () => Boolean(home.value && home.value.ask_faces_for && last.value && home.value.ask_faces_for === last.value.call_id);

/** This end gave up by itself: the server is told when it can be. @param {string} id */
function lost(id) {
  post(`/api/tv/calls/${id}/hang-up`).catch(() => {});
  if (call.value) ended(Object.assign({}, call.value, { state: "ended", end_reason: "connection_lost" }));
}

function forget() {
  clearTimeout(leaving);
  if (call.value) live.leave(call.value.call_id);
  if (end.value) end.value.close();
  end.value = null;
  call.value = null;
  live.inCall = false;
  countdown.value = null;
}

/** @param {unknown} error */
export function say(error) {
  const offline = error instanceof ApiError && error.code === "offline";
  problem.value = t(offline ? "tv.problem.offline" : "tv.problem.other");
}

export async function ringIn() {
  problem.value = "";
  sound.unlock();
  try {
    callStartedHere = (await post("/api/tv/calls")).call_id;
    live.join(callStartedHere);
  } catch (error) { say(error); }
}

/** @param {boolean} byItself */
export async function answer(byItself) {
  const frame = call.value;
  if (!frame) return;
  sound.unlock();
  countdown.value = null;
  stoppedFor.value = frame.call_id;
  try { await post(`/api/tv/calls/${frame.call_id}/answer`, { by_itself: byItself }); } catch (error) { say(error); }
}

export async function decline() {
  const frame = call.value;
  if (!frame) return;
  sound.stop();
  try { await post(`/api/tv/calls/${frame.call_id}/decline`); } catch (error) { say(error); }
}

export async function hangUp() {
  const frame = call.value;
  if (!frame) return;
  if (end.value) end.value.stopHere();
  try { await post(`/api/tv/calls/${frame.call_id}/hang-up`); } catch (_) { lost(frame.call_id); }
}

/** @param {string} purpose @returns {Promise<boolean>} */
export async function takeBack(purpose) {
  try { await post(`/api/tv/consents/${purpose}/withdraw`); return true; } catch (error) { say(error); return false; }
}

/** @param {"good"|"so_so"|"bad"} face */
export function leaveFace(face) {
  const id = home.value ? home.value.ask_faces_for : null;
  screen.value = "home";
  if (id) post("/api/tv/faces", { call_id: id, face }).catch(() => {});
}

// --- pairing

async function askPaired() {
  try {
    const answered = await get("/api/tv/pairing");
    if (answered && answered.state === "paired") live.tryNow();
    else toPairing();
  } catch (error) {
    if (error instanceof ApiError && (error.status === 401 || error.status === 404)) toPairing();
  }
}

function toPairing() {
  if (call.value || screen.value === "pairing" || screen.value === "word") return;
  home.value = null;
  live.stop();
  screen.value = "pairing";
}

/** After pairing the page is fetched anew: in the resident's language, with its own cookie. */
export function startAnew() {
  location.reload();
}

// --- time and keys

/** Every key counts as somebody being there. */
export function pressed() {
  pressedAt = performance.now();
  awake.value = true;
}

function tick() {
  now.value = live.now();
  const idle = performance.now() - pressedAt > IDLE_MS;
  if (idle) {
    awake.value = false;
    if (["day", "yes", "looks", "nobody"].indexOf(screen.value) >= 0 && !call.value) screen.value = "home";
  }
  const hour = hourOf(now.value);
  night.value = (hour >= 22 || hour < 6) && !awake.value;
  const cut = live.lostAt !== null && performance.now() - live.lostAt > NO_CONTACT_MS;
  if (cut && cutSince.value === null) cutSince.value = Date.now() - (performance.now() - /** @type {number} */ (live.lostAt));
  if (live.lostAt === null) cutSince.value = null;
  const frame = call.value;
  if (frame && frame.state === "ringing" && frame.answers_itself_at && stoppedFor.value !== frame.call_id) {
    const left = Math.ceil((Date.parse(frame.answers_itself_at) - now.value) / 1000);
    countdown.value = Math.max(0, left);
    if (left <= 0) answer(true);
  } else if (countdown.value !== null) countdown.value = null;
}

/** Any key but OK, volume and power keeps the call from answering itself. */
export function stopCountdown() {
  if (!call.value || countdown.value === null) return;
  stoppedFor.value = call.value.call_id;
  countdown.value = null;
}

effect(() => {
  const frame = call.value;
  if (!frame || (frame.state !== "ringing" && frame.state !== "requested")) { sound.stop(); return; }
  if (frame.kind === "call_in") { sound.play("ringback"); return; }
  if (spokenFor !== frame.call_id) {
    spokenFor = frame.call_id;
    if (frame.answers_itself_at) sound.play("chime");
    setTimeout(() => { if (call.value && call.value.call_id === frame.call_id && call.value.state === "ringing") { sound.speak(callerText(frame), boot.lang); sound.play("ring"); } }, frame.answers_itself_at ? 1200 : 0);
  }
});

/** "Maria ringer". @param {CallFrame} frame */
export function callerText(frame) {
  return frame.staff_given_name ? t("tv.ring.title", { name: frame.staff_given_name }) : t("tv.ring.title_unit");
}

export function start() {
  setInterval(tick, 500);
  tick();
  if (boot.paired === false) screen.value = "pairing";
  else live.start();
}
