// A round: which home is looked at, which are made ready, and when an outcome may be said. No views.
import { computed, signal } from "../lib/preact.js";
import { get, post } from "../core/api.js";
import { CallEnd } from "../core/call.js";
import { watchNights } from "./nights.js";
import { Offers } from "./offers.js";
import { keep } from "./kept.js";
import * as store from "./store.js";

/** @typedef {import("../core/wire").CallFrame} CallFrame */
/**
 * @typedef {object} Check
 * @property {string} id
 * @property {string} round_id
 * @property {string} resident_name
 * @property {string} resident_phone
 * @property {string} unit_name
 * @property {string} unit_phone
 * @property {string} place
 * @property {string} starts_at
 * @property {string} look_from
 * @property {string} closes_at
 * @property {string} modality
 * @property {string} state
 * @property {string} since
 * @property {boolean} is_mine
 * @property {string|null} by
 * @property {number} looks
 * @property {string|null} without_camera
 * @property {string|null} why
 * @property {string|null} ended_as
 * @property {string|null} called_off_for
 * @property {number} look_s
 * @property {boolean} may_speak
 * @property {boolean} is_last_night
 * @property {string|null} again_from
 * @property {string|null} there_by
 */
/** What only she who looks there now needs. @typedef {{to_know: string, picture: "clear"|"blurred", hours: string, last: {at: string, ended_as: string, by: string|null}|null}} About */
/** "asked": the signal sounds in the home; "on": we are heard there. @typedef {"off"|"asked"|"on"|"failed"|"no_microphone"} Speech */
/** @typedef {{night: string, is_private: boolean, rounds: Array<{id: string, n: number, starts_at: string}>, checks: Check[]}} Tonight */
/** "idle": nobody is looked at; "deciding": the picture is closed; "cut": it was closed at once, why? @typedef {"idle"|"opening"|"viewing"|"deciding"|"cut"} Phase */
/** @typedef {"asleep"|"up"|"not_seen"|"needs_visit"|"technical_fault"} Outcome */
/** @typedef {{callId: string, end: CallEnd}} Connection */
/** @template T @typedef {import("../lib/preact.js").Signal<T>} Sig */

const TICK_MS = 200;
/** Longer than the server's own two seconds: it counts from our report. */
const SHOWN_MS = 2200;
const NO_PICTURE_MS = 6000;
const OVERDUE_MS = 3000;
const AHEAD = 2;
const SPEECH_PATIENCE_MS = 12000;
const GO_ON_MS = 1500;
const SOON_MS = 600;
const ALARM_PATIENCE_MS = 20000;
const WAITS = ["due"];
const OVER = ["done", "called_off"];

/** When the list was true. */
export const listedAt = signal("");
export const tonight = signal(/** @type {Tonight|null} */ (null));
export const current = signal(/** @type {string|null} */ (null));
export const phase = signal(/** @type {Phase} */ ("idle"));
export const running = signal(false);
/** Outcome keys are live: a real frame has been shown long enough. */
export const maySay = signal(false);
export const noPicture = signal(false);
export const secondsLeft = signal(/** @type {number|null} */ (null));
export const end = signal(/** @type {CallEnd|null} */ (null));
/** Homes that are made ready. @type {Sig<string[]>} */
export const ready = signal(/** @type {string[]} */ ([]));
export const extended = signal(0);
export const about = signal(/** @type {About|null} */ (null));
/** "Titta igen": somebody is on the way, and no outcome is asked for. */
export const isAgain = signal(false);
export const speech = signal(/** @type {Speech} */ ("off"));
/** Whose look was interrupted last. */
export const interrupted = signal(/** @type {string|null} */ (null));

/** @type {Map<string, Connection>} */
const connections = new Map();
let shownAt = 0;
let openedAt = 0;
let endsAt = 0;
let alarmSince = 0;
let wasLate = false;
let askedAt = 0;
let soon = 0;
/** One thing is said at a time: a second press of a key finds the first on its way. */
let isSaying = false;
/** Interrupted once: they come after the others. @type {Set<string>} */
const later = new Set();
/** @type {number[]} */
let timers = [];

const checks = computed(() => (tonight.value ? tonight.value.checks : []));
export const currentCheck = computed(() => checks.value.find((one) => one.id === current.value) || null);
/** Those of the round that runs, or the next one. */
export const roundChecks = computed(() => {
  const open = checks.value.find((one) => !OVER.includes(one.state) && one.state !== "dispatched") || checks.value[checks.value.length - 1];
  const shown = currentCheck.value || open;
  return shown ? checks.value.filter((one) => one.round_id === shown.round_id) : [];
});
export const roundNumber = computed(() => {
  const [first] = roundChecks.value;
  const found = first && tonight.value ? tonight.value.rounds.find((one) => one.id === first.round_id) : undefined;
  return found ? found.n : 1;
});
/** Those kept open to us until somebody is there. */
export const staying = computed(() => checks.value.filter((one) => one.again_from !== null));
export const toPhone = computed(() => checks.value.filter((one) => one.state === "phone"));

/** @param {Check} one */
const isLookable = (one) => one.modality === "camera" && Date.parse(one.look_from) <= store.now.value
  && (WAITS.includes(one.state) || (one.is_mine && ["ready", "connecting", "viewing", "deciding"].includes(one.state)));
/** Whom to look to, the one that has waited longest first. */
export const queue = computed(() => {
  const all = checks.value.filter((one) => isLookable(one) && one.id !== current.value);
  return [...all.filter((one) => !later.has(one.id)), ...all.filter((one) => later.has(one.id))];
});

export async function refresh() {
  tonight.value = /** @type {Tonight} */ (await get("/api/nightchecks"));
  listedAt.value = new Date(store.live.now()).toISOString();
  keep({ night: { at: listedAt.value, list: tonight.value.checks.map(({ id, resident_name, resident_phone, starts_at, state, place }) => ({ id, resident_name, resident_phone, starts_at, state, place })) } });
}

/** Once the next home has opened: what it waits for goes before what the list says. */
function refreshSoon() {
  clearTimeout(soon);
  soon = setTimeout(() => refresh().catch(store.complain), SOON_MS);
}

/** Its frames come to us, not to the page of calls. @param {string} callId @param {Check} check @returns {Connection} */
function connect(callId, check) {
  const checkId = check.id;
  const made = new CallEnd(store.live, callId, "staff", { offers: (one) => new Offers(one, false, check.may_speak), onLost: () => closed(checkId) });
  const connection = { callId, end: made };
  connections.set(checkId, connection);
  store.looks.set(callId, {
    take(/** @type {CallFrame} */ frame) {
      made.take(frame);
      if (frame.state === "ended") closed(checkId, callId);
    },
    signal: (/** @type {any} */ one) => made.signal(one),
    lease: (/** @type {any} */ one) => made.lease(one),
  });
  store.live.join(callId);
  const known = store.lookFrames.get(callId);
  if (known) made.take(known);
  return connection;
}

/** @param {string} checkId @param {string} [callId] */
function closed(checkId, callId) {
  const connection = connections.get(checkId);
  if (!connection || (callId && connection.callId !== callId)) return;
  connections.delete(checkId);
  store.looks.delete(connection.callId);
  store.lookFrames.delete(connection.callId);
  store.live.leave(connection.callId);
  connection.end.close();
  ready.value = ready.value.filter((one) => one !== checkId);
  if (current.value !== checkId || phase.value === "cut") return;
  end.value = null;
  secondsLeft.value = null;
  if (isAgain.value) stopHere();
  else if (maySay.value) phase.value = "deciding";
  else if (phase.value !== "idle") wasInterrupted(checkId);
  refreshSoon();
}

/** It stays on the list; the round goes on with the next home, and comes back once. @param {string} checkId */
function wasInterrupted(checkId) {
  const one = currentCheck.value;
  interrupted.value = one ? one.resident_name : null;
  if (later.has(checkId)) running.value = false;
  later.add(checkId);
  stopHere();
  setTimeout(() => next().catch(store.complain), GO_ON_MS);
}

/** Nobody is looked at; what was not finished is due again. */
function stopHere() {
  current.value = null;
  phase.value = "idle";
  maySay.value = false;
  noPicture.value = false;
  secondsLeft.value = null;
  end.value = null;
  about.value = null;
  isAgain.value = false;
  speech.value = "off";
}

/** The next homes connect while this one is looked at; nothing leaves them. */
async function makeReady() {
  for (const one of queue.value.slice(0, AHEAD)) {
    if (connections.has(one.id)) continue;
    try {
      const made = await post(`/api/nightchecks/${one.id}/ready`, {});
      if (!connections.has(one.id)) connect(made.call_id, one);
      ready.value = [...ready.value.filter((id) => id !== one.id), one.id];
    } catch (_) { /* its own turn will say why */ }
  }
}

/** @param {Check} one @param {"look"|"again"} [how] */
async function look(one, how = "look") {
  current.value = one.id;
  interrupted.value = null;
  isAgain.value = how === "again";
  about.value = null;
  speech.value = "off";
  phase.value = "opening";
  maySay.value = false;
  noPicture.value = false;
  extended.value = 0;
  shownAt = 0;
  openedAt = performance.now();
  endsAt = openedAt + one.look_s * 1000;
  try {
    const made = await post(`/api/nightchecks/${one.id}/${how}`, {});
    about.value = made.about;
    let connection = connections.get(one.id);
    if (!connection || connection.callId !== made.call_id) connection = connect(made.call_id, one);
    ready.value = ready.value.filter((id) => id !== one.id);
    end.value = connection.end;
    await makeReady();
  } catch (error) {
    stopHere();
    store.complain(error);
    await refresh();
    // What could not be looked at goes on by itself; the round does too.
    if (running.value) setTimeout(() => next().catch(store.complain), GO_ON_MS);
  }
}

/** On to whoever has waited longest. */
export async function next() {
  if (!running.value || phase.value !== "idle") return;
  const [one] = queue.value;
  if (one) await look(one);
}

/** Space: pauses what runs, and goes on with what was paused. */
export const mayTurn = () => running.value || current.value !== null || Boolean(tonight.value && tonight.value.is_private);

export async function begin() {
  if (tonight.value && !tonight.value.is_private) await post("/api/nightchecks/private-room", {});
  running.value = true;
  later.clear();
  await store.unlockSound();
  await refresh();
  await next();
}

/** No new home is opened; what is open is closed first. */
export async function pause() {
  running.value = false;
  const id = current.value;
  if (id && (phase.value === "viewing" || phase.value === "opening")) await post(`/api/nightchecks/${id}/close`, {});
  await refresh();
}

/** @param {() => Promise<void>} what */
async function once(what) {
  if (isSaying) return;
  isSaying = true;
  try { await what(); } finally { isSaying = false; }
}

/** @param {Outcome} outcome */
export async function say(outcome) {
  const id = current.value;
  if (!id || isSaying || isAgain.value || phase.value === "cut" || (!maySay.value && outcome !== "technical_fault")) return;
  await once(() => post(`/api/nightchecks/${id}/outcome`, { outcome }));
  later.delete(id);
  // It is no longer to be looked at; what has become of it the list will say, and nobody waits for that.
  if (tonight.value) tonight.value = { ...tonight.value, checks: checks.value.map((one) => (one.id === id ? { ...one, state: "said" } : one)) };
  stopHere();
  await next();
  if (phase.value === "idle") await refresh();
  else refreshSoon();
}

/** Dark at once, then: what was wrong? */
export async function closeNow() {
  const id = current.value;
  if (!id || phase.value === "idle" || phase.value === "cut") return;
  if (isAgain.value) { await pause(); return; }
  phase.value = "cut";
  const connection = connections.get(id);
  if (connection) connection.end.stopHere();
  end.value = null;
  secondsLeft.value = null;
  await post(`/api/nightchecks/${id}/close`, {});
}

/** @param {"wrong_home"|"camera_moved"|"somebody_else"} why */
export async function sayWhy(why) {
  const id = current.value;
  if (!id || isSaying) return;
  await once(() => post(`/api/nightchecks/${id}/cut`, { why }));
  running.value = false;
  stopHere();
  await refresh();
}

export async function extend() {
  if (!current.value || isSaying || isAgain.value || phase.value !== "viewing" || extended.value >= 2) return;
  await once(() => post(`/api/nightchecks/${current.value}/extend`, {}));
  extended.value += 1;
  if (currentCheck.value) endsAt += currentCheck.value.look_s * 1000;
}

/** "Titta igen". The round waits meanwhile. @param {Check} one */
export async function lookAgain(one) {
  if (phase.value !== "idle") return;
  running.value = false;
  await store.unlockSound();
  await look(one, "again");
}

/** "Säg något": the home gives its signal, then we are heard. */
export async function speak() {
  const one = currentCheck.value;
  if (!one || !one.may_speak || phase.value !== "viewing" || speech.value === "asked" || speech.value === "on") return;
  askedAt = performance.now();
  speech.value = "asked";
  try { await post(`/api/nightchecks/${one.id}/speak`, {}); } catch (error) { speech.value = "failed"; throw error; }
}

/** @param {string} id @param {boolean} reached */
export async function phoned(id, reached) {
  await post(`/api/nightchecks/${id}/phoned`, { reached });
  await refresh();
}

function tick() {
  const now = performance.now();
  const connection = current.value ? connections.get(current.value) : undefined;
  if (connection && connection.end.firstFrameSent && !shownAt && (phase.value === "opening" || phase.value === "viewing")) {
    shownAt = now;
    phase.value = "viewing";
  }
  // The home is dark by now, whether or not anybody can tell us: a look does not come back.
  const isOver = connection && connection.end.begun && (connection.end.picture.value === "paused" || now > endsAt + OVERDUE_MS);
  if (current.value && connection && isOver) { closed(current.value, connection.callId); return; }
  if (connection && speech.value === "asked") {
    const { frame, trouble, mine } = connection.end;
    if (frame && frame.media && frame.media.staff_sound && mine.value) speech.value = "on";
    else if (trouble.value) speech.value = "no_microphone";
    else if (now - askedAt > SPEECH_PATIENCE_MS) speech.value = "failed";
  }
  if (shownAt && phase.value === "viewing") {
    maySay.value = !isAgain.value && now - shownAt >= SHOWN_MS;
  } else if (phase.value === "opening") noPicture.value = now - openedAt > NO_PICTURE_MS;
  if (phase.value === "viewing" || phase.value === "opening") secondsLeft.value = Math.max(0, Math.ceil((endsAt - now) / 1000));
  const late = store.calling.value.length > 0;
  if (late && !wasLate) { alarmSince = now; if (running.value) running.value = false; }
  wasLate = late;
  if (late && phase.value === "viewing" && now - alarmSince > ALARM_PATIENCE_MS) pause().catch(store.complain);
}

/** While the page is shown. @returns {() => void} */
export function watch() {
  timers = [setInterval(tick, TICK_MS)];
  const unwatch = watchNights(refresh);
  refresh().catch(store.complain);
  return () => {
    timers.forEach((one) => clearInterval(one));
    unwatch();
    pause().catch(() => {});
    [...connections].forEach(([id, one]) => closed(id, one.callId));
    stopHere();
  };
}
