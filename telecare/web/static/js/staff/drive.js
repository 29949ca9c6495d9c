// What is said of a drive to a home: who goes, that she is there, how it was. Without network it is noted, and entered when
// the network is back, with the time it was noted.
import { effect } from "../lib/preact.js";
import { ApiError, post } from "../core/api.js";
import { keep, ready, things } from "./kept.js";
import * as store from "./store.js";

/** @typedef {import("./kept.js").Note} Note */

/** Minutes until she is there. */
export const WITHIN = [10, 15, 20, 30, 45, 60];

/** @param {string} id @param {number} within minutes */
export const accept = (id, within) => post(`/api/dispatches/${id}/accept`, { within_min: within });
/** @param {string} id @param {string} name */
export const arrive = (id, name) => say({ what: "arrive", path: `/api/dispatches/${id}/arrive`, body: {}, about: id, name });
/** @param {string} id @param {string} outcome @param {"somebody"|"nobody"} found in the home @param {string} name */
export const close = (id, outcome, found, name) => say({ what: "close", path: `/api/dispatches/${id}/close`, body: { outcome, found }, about: id, name });
/** @param {string} id a check's @param {boolean} reached @param {string} name */
export const phoned = (id, reached, name) => say({ what: "phoned", path: `/api/nightchecks/${id}/phoned`, body: { reached }, about: id, name });

/** What was noted about it and is not entered yet. @param {string} about @returns {Note[]} */
export const noted = (about) => things.value.notes.filter((one) => one.about === about);

const isOffline = (/** @type {unknown} */ error) => error instanceof ApiError && error.status === 0;
/** @param {Note} note */
const enter = (note) => post(note.path, { ...note.body, noted_at: note.at });

/** @param {Omit<Note, "id"|"at"|"refused">} said */
async function say(said) {
  const note = { ...said, id: crypto.randomUUID(), at: new Date(store.live.now()).toISOString(), refused: null };
  if (!noted(said.about).length) {
    try { await enter(note); return; } catch (error) { if (!isOffline(error)) throw error; }
  }
  keep({ notes: [...things.value.notes, note] });
}

let isSending = false;

/** In the order they were noted. What is refused stays, and what follows it about the same home waits. */
export async function send() {
  await ready;
  if (isSending) return;
  isSending = true;
  try {
    for (const note of things.value.notes) {
      if (noted(note.about).some((one) => one.refused && one.id !== note.id) || note.refused) continue;
      try {
        await enter(note);
        forget(note.id);
      } catch (error) {
        if (isOffline(error) || !(error instanceof ApiError) || error.status >= 500 || error.status === 401) return;
        const refused = error.code;
        keep({ notes: things.value.notes.map((one) => (one.id === note.id ? { ...one, refused } : one)) });
      }
    }
  } finally { isSending = false; }
}

/** @param {string} id a note's */
export const forget = (id) => keep({ notes: things.value.notes.filter((one) => one.id !== id) });

effect(() => { if (store.live.open.value && store.me.value && things.value.notes.length) send(); });
