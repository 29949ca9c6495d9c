// What whoever goes to a home must have with her. Fetched when she says that she goes; from then it can be read without
// network, also after the page was loaded anew, until she is there and done, the page locks, or she signs out.
import { effect, html } from "../lib/preact.js";
import { get } from "../core/api.js";
import { t } from "../core/i18n.js";
import { keep, ready, things } from "./kept.js";
import * as store from "./store.js";
import { Loading, useFetched } from "./ui.js";

/** @typedef {{resident_name: string, address: string, phone: string, to_know: string[], key_note: string|null, arrive_by: string|null}} Mission */

effect(() => {
  const { missions } = things.value;
  if (!store.loaded.value) return;
  const still = Object.entries(missions).filter(([id]) => store.isMission(id));
  if (still.length < Object.keys(missions).length) keep({ missions: Object.fromEntries(still) });
});

/** @param {{one: Mission}} props */
export const Facts = ({ one }) => html`<p><b>${one.address}</b>${one.phone}</p>
  <p><b>${t("dispatch.key")}</b>${one.key_note || t("dispatch.no_key")}</p>${one.to_know.length > 0 && html`<p><b>${t("alarm.to_know")}</b>${one.to_know.join(" ")}</p>`}`;

/** @param {string} id @param {string} name */
export function useMission(id, name) {
  const found = useFetched(async () => {
    await ready;
    if (things.value.missions[id]) return;
    const one = { ...(await get(`/api/dispatches/${id}`)), resident_name: name };
    keep({ missions: { ...things.value.missions, [id]: one } });
  }, [id]);
  return { mission: things.value.missions[id] || null, error: found.error, again: found.again };
}

/** @param {{id: string, name: string}} props */
export function Mission({ id, name }) {
  const found = useMission(id, name);
  const one = found.mission;
  if (!one) return html`<${Loading} error=${found.error} again=${found.again} />`;
  return html`<div data-test="mission"><${Facts} one=${one} /></div>`;
}
