// Parts of the staff page that are fetched when somebody needs them, with their texts.
import { html } from "../lib/preact.js";
import { ApiError } from "../core/api.js";
import { bootValues, learn } from "../core/i18n.js";
import { Loading, useFetched } from "./ui.js";

const LATER = {
  alarm: () => import("./alarm.js"), queue: () => import("./queue.js"),
  after: () => import("./after.js"), anyway: () => import("./anyway.js"), change: () => import("./change.js"), devices: () => import("./devices.js"), closing: () => import("./closing.js"), forms: () => import("./forms.js"), notes: () => import("./notes.js"), people: () => import("./people.js"),
  ready: () => import("./ready.js"), relation: () => import("./relation.js"), shift: () => import("./shift.js"), steps: () => import("./steps.js"), night: () => import("./night.js"), waiting: () => import("./waiting.js"), mission: () => import("./mission.js"), offline: () => import("./offline.js"), patrol: () => import("./patrol.js"), technical: () => import("./technical.js"),
};

/** @typedef {keyof typeof LATER} Name */

/** @type {Promise<void>|null} */
let texts = null;

async function learnTexts() {
  const boot = bootValues();
  const answer = await fetch(`${boot.static}/texts/${boot.lang}.json`);
  if (!answer.ok) throw new ApiError(answer.status, "internal", []);
  learn(await answer.json());
}

/** Also in advance, where it will be needed at once. @param {Name} name @returns {Promise<any>} */
export async function later(name) {
  if (!texts) texts = learnTexts().catch((error) => { texts = null; throw error; });
  const [made] = await Promise.all([LATER[name](), texts]);
  return made;
}

/** A whole page. @param {{from: Name, name: string, given: object}} props */
export function Later({ from, name, given }) {
  const page = useFetched(() => later(from), [from]);
  const View = page.value && page.value[name];
  return View ? html`<${View} ...${given} />` : html`<main id="main"><h1 class="vh">Telecare</h1><${Loading} error=${page.error} again=${page.again} /></main>`;
}

/** A part of one. @param {{from: Name, name: string, given: object}} props */
export function Part({ from, name, given }) {
  const part = useFetched(() => later(from), [from]);
  const View = part.value && part.value[name];
  if (View) return html`<${View} ...${given} />`;
  return part.error ? html`<${Loading} error=${part.error} again=${part.again} />` : null;
}
