// What whoever goes to a home must have with her. Fetched when she says that she goes; from then it can be read without
// network, also after the page was loaded anew, until she is there and done, the page locks, or she signs out.
import { effect, html, signal } from "../lib/preact.js";
import { get } from "../core/api.js";
import { t } from "../core/i18n.js";
import { keepForLater } from "../core/keep.js";
import * as store from "./store.js";
import { Loading, useFetched } from "./ui.js";

/** @typedef {{resident_name: string, address: string, phone: string, to_know: string[], key_note: string|null, arrive_by: string|null}} Mission */

const KEPT = "missions";

/** Those of this window, unless it was left alone for so long that it would have locked. @returns {{[id: string]: Mission}} */
function before() {
  const { at, missions } = JSON.parse(sessionStorage.getItem(KEPT) || '{"at": 0}');
  return Date.now() - at < store.IDLE_MS ? missions : {};
}

/** @type {import("../lib/preact.js").Signal<{[id: string]: Mission}>} */
const kept = signal(before());
const keep = () => sessionStorage.setItem(KEPT, JSON.stringify({ at: Date.now(), missions: kept.value }));
effect(() => { if (Object.keys(kept.value).length) keep(); else sessionStorage.removeItem(KEPT); });
// Signed out, they are gone from there.
addEventListener("pagehide", () => { if (sessionStorage.getItem(KEPT)) keep(); });
effect(() => { if (store.locked.value) kept.value = {}; });
effect(() => {
  if (!store.loaded.value) return;
  const gone = Object.keys(kept.value).filter((id) => !store.isMission(id));
  if (gone.length) kept.value = Object.fromEntries(Object.entries(kept.value).filter(([id]) => !gone.includes(id)));
});

/** @param {{one: Mission}} props */
const Facts = ({ one }) => html`<p><b>${one.address}</b>${one.phone}</p>
  <p><b>${t("dispatch.key")}</b>${one.key_note || t("dispatch.no_key")}</p>${one.to_know.length > 0 && html`<p><b>${t("alarm.to_know")}</b>${one.to_know.join(" ")}</p>`}`;

/** @param {string} id @param {string} name */
export function useMission(id, name) {
  const found = useFetched(async () => {
    if (!kept.value[id]) kept.value = { ...kept.value, [id]: { ...(await get(`/api/dispatches/${id}`)), resident_name: name } };
    keepForLater("staff", "/").catch(() => {});
    return kept.value[id];
  }, [id]);
  return { mission: kept.value[id] || null, error: found.error, again: found.again };
}

/** @param {{id: string, name: string}} props */
export function Mission({ id, name }) {
  const found = useMission(id, name);
  const one = found.mission;
  if (!one) return html`<${Loading} error=${found.error} again=${found.again} />`;
  return html`<div data-test="mission"><${Facts} one=${one} /></div>`;
}

/** Before the page knows who she is: the server cannot be reached. */
export const Kept = () => html`${Object.entries(kept.value).map(([id, one]) => html`<section key=${id} class="q sensor" data-test="kept-mission"><h2>${t("dispatch.accepted")}</h2><p><b>${one.resident_name}</b></p><${Facts} one=${one} /></section>`)}`;
