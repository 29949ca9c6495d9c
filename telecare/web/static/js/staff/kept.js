// What must be readable without network for a shift, encrypted on the device (docs/decisions/0025): missions, tonight's
// lists, and what was noted meanwhile. The key cannot leave the browser, and goes with everything else at the shift's end.
import { batch, effect, signal } from "../lib/preact.js";
import { ApiError } from "../core/api.js";
import { bootValues } from "../core/i18n.js";
import { keepForLater } from "../core/keep.js";
import * as store from "./store.js";

/** @typedef {import("./mission.js").Mission} Mission */
/** `at`: when it was noted; `refused`: the server's code, when it could not be entered. @typedef {{id: string, path: string, body: object, at: string, about: string, name: string, what: "arrive"|"close"|"phoned", refused: string|null}} Note */
/** `at`: when the list was fetched. @template T @typedef {{at: string, list: T}} Kept */
/** @typedef {{id: string, resident_name: string, resident_phone: string, starts_at: string, state: string, place: string}} Listed */
/**
 * @typedef {object} Things
 * @property {string} staff_id
 * @property {string} until when the session is over
 * @property {number} seen when the page was used last, by the device's clock
 * @property {{[id: string]: Mission}} missions
 * @property {Kept<Listed[]>|null} night
 * @property {Kept<import("./patrol.js").Tonight>|null} patrol
 * @property {Note[]} notes
 */

const KEY = "key";
const ALL = "all";
const SEEN_MS = 60000;
/** Web Authentication, authenticator data: byte 32, bit 2 (user verified). */
const FLAGS = 32;
const VERIFIED = 4;
/** @type {Things} */
const NOTHING = { staff_id: "", until: "", seen: 0, missions: {}, night: null, patrol: null, notes: [] };

export const things = signal(NOTHING);
/** There is something, and she must show that it is she before it is opened. */
export const sealed = signal(false);

/** @template T @param {IDBRequest<T>} request @returns {Promise<T>} */
const done = (request) => new Promise((resolve, reject) => {
  request.onsuccess = () => resolve(request.result);
  request.onerror = () => reject(request.error);
});

/** Open for one thing only: whoever signs out need not wait. @template T @param {(values: IDBObjectStore) => Promise<T>} act @returns {Promise<T>} */
async function within(act) {
  const request = indexedDB.open(store.KEPT, 1);
  request.onupgradeneeded = () => { request.result.createObjectStore("values"); };
  const db = await done(request);
  try { return await act(db.transaction("values", "readwrite").objectStore("values")); } finally { db.close(); }
}

/** @returns {Promise<CryptoKey>} */
async function keyOf() {
  const known = await within((values) => done(values.get(KEY)));
  if (known) return known;
  const made = await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
  await within((values) => done(values.put(made, KEY)));
  return made;
}

/** Forgotten since: what was on its way to be written is not. */
let era = 0;

/** @param {Things} now @param {number} mine */
async function write(now, mine) {
  if (mine !== era) return;
  const key = await keyOf();
  const iv = crypto.getRandomValues(new Uint8Array(12));
  const data = await crypto.subtle.encrypt({ name: "AES-GCM", iv }, key, new TextEncoder().encode(JSON.stringify(now)));
  if (mine === era) await within((values) => done(values.put({ iv, data }, ALL)));
}

/** @returns {Promise<Things>} */
async function read() {
  if (indexedDB.databases && !(await indexedDB.databases()).some((one) => one.name === store.KEPT)) return NOTHING;
  const sealed = await within((values) => done(values.get(ALL)));
  if (!sealed) return NOTHING;
  const open = await crypto.subtle.decrypt({ name: "AES-GCM", iv: sealed.iv }, await keyOf(), sealed.data);
  return { ...NOTHING, ...JSON.parse(new TextDecoder().decode(open)) };
}

/** One after the other: the newest is what stays. @type {Promise<unknown>} */
let turn = Promise.resolve();
/** @param {() => Promise<void>} act */
const inTurn = (act) => { turn = turn.then(act).catch(() => {}); };

const isEmpty = (/** @type {Things} */ one) => !Object.keys(one.missions).length && !one.night && !one.patrol && !one.notes.length;

/** @param {Partial<Things>} more */
export function keep(more) {
  const me = store.me.value;
  const own = me ? { staff_id: me.staff_id, until: me.session_ends_at } : {};
  things.value = { ...things.value, ...own, ...more, seen: Date.now() };
  if (isEmpty(things.value)) { store.forget(); return; }
  const now = things.value;
  const mine = era;
  inTurn(() => write(now, mine));
  // All that shows it must be there without network too.
  import("./offline.js").then(() => keepForLater("staff", "/")).catch(() => {});
}

/** What this device has kept, until the session is over. */
async function standing() {
  const kept = await read();
  if (!isEmpty(kept) && Date.parse(kept.until) > Date.now()) return kept;
  if (!isEmpty(kept)) store.forget();
  return NOTHING;
}

/** Not by itself when the page is locked, or was left alone so long that it would have locked. */
async function load() {
  const kept = await standing();
  if (isEmpty(kept)) return;
  const isHers = !store.locked.value && Date.now() - kept.seen < store.IDLE_MS + SEEN_MS;
  batch(() => {
    sealed.value = !isHers;
    if (isHers) things.value = kept;
  });
}

/** Whose passkey this device has, and that it is she, the device can say without any server. @param {string} staffId */
async function showsHerself(staffId) {
  const cancelled = new ApiError(0, "passkey_cancelled", []);
  const challenge = crypto.getRandomValues(new Uint8Array(32));
  const made = await navigator.credentials.get({ publicKey: { challenge, userVerification: "required" } }).catch(() => null);
  const said = made && /** @type {AuthenticatorAssertionResponse} */ (/** @type {PublicKeyCredential} */ (made).response);
  if (!said || !said.userHandle) throw cancelled;
  const who = Array.from(new Uint8Array(said.userHandle), (one) => one.toString(16).padStart(2, "0")).join("");
  const isVerified = (new Uint8Array(said.authenticatorData)[FLAGS] & VERIFIED) !== 0;
  if (who !== staffId.replace(/-/g, "") || !isVerified) throw cancelled;
}

/** Her page is locked and the server cannot be reached. */
export async function openSealed() {
  const kept = await standing();
  if (!bootValues().demo && !isEmpty(kept)) await showsHerself(kept.staff_id);
  batch(() => { sealed.value = false; things.value = kept; });
}
/** What was kept before is there, or there was nothing. */
export const ready = load().catch(() => { store.forget(); });

addEventListener(store.FORGET, () => { era += 1; batch(() => { sealed.value = false; things.value = NOTHING; }); });
// Locked, the page has nothing; the device keeps it, sealed, until she is back.
effect(() => { if (store.locked.value) batch(() => { sealed.value = sealed.peek() || !isEmpty(things.peek()); things.value = NOTHING; }); });
let wasLocked = false;
effect(() => {
  if (wasLocked && !store.locked.value && isEmpty(things.peek())) inTurn(load);
  wasLocked = store.locked.value;
});
effect(() => {
  const me = store.me.value;
  const one = things.value;
  if (!me || isEmpty(one)) return;
  const noMission = !Object.keys(one.missions).length && !one.notes.length;
  if (one.staff_id !== me.staff_id || (!me.shift && noMission)) store.forget();
});
setInterval(() => {
  if (store.locked.value || isEmpty(things.value)) return;
  if (Date.parse(things.value.until) <= Date.now()) store.forget();
  else keep({});
}, SEEN_MS);
