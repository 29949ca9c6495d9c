// What whoever goes to a home must have with her. Fetched when she says that she goes; it stays readable without network.
import { effect, html, signal } from "../lib/preact.js";
import { get } from "../core/api.js";
import { t } from "../core/i18n.js";
import * as store from "./store.js";
import { Loading, useFetched } from "./ui.js";

/** @typedef {{address: string, phone: string, to_know: string[], key_note: string|null, arrive_by: string|null}} Mission */

/** @type {import("../lib/preact.js").Signal<{[id: string]: Mission}>} */
const kept = signal({});
effect(() => { if (store.locked.value) kept.value = {}; });

/** @param {{id: string}} props */
export function Mission({ id }) {
  const found = useFetched(async () => {
    if (!kept.value[id]) kept.value = { ...kept.value, [id]: await get(`/api/dispatches/${id}`) };
    return kept.value[id];
  }, [id]);
  const one = kept.value[id];
  if (!one) return html`<${Loading} error=${found.error} again=${found.again} />`;
  return html`<div data-test="mission"><p><b>${one.address}</b>${one.phone}</p>
    <p><b>${t("dispatch.key")}</b>${one.key_note || t("dispatch.no_key")}</p>${one.to_know.length > 0 && html`<p><b>${t("alarm.to_know")}</b>${one.to_know.join(" ")}</p>`}</div>`;
}
