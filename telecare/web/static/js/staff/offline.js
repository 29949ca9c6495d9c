// What can be read, and said, without network: tonight's lists and missions that the device has kept.
import { html, useState } from "../lib/preact.js";
import { firstOf, clock, t } from "../core/i18n.js";
import { Outcome } from "./closing.js";
import * as drive from "./drive.js";
import { openSealed, sealed, things } from "./kept.js";
import { Facts } from "./mission.js";
import * as store from "./store.js";
import { Btn } from "./ui.js";

/** @typedef {import("./kept.js").Note} Note */

/** Above a list that is not today's truth any more. @param {{at: string}} props */
export const Without = ({ at }) => html`${store.live.contact.value === "trying" && html`<p class="strip lost" role="status" data-test="without-network"><b>${t("offline.list_from", { time: clock(at) })}</b></p>`}`;

/** @param {{note: Note}} props */
const Noted = ({ note }) => html`<li data-test="note" data-refused=${note.refused || ""}><b>${note.name}</b> ${t(`offline.noted.${note.what}`, { time: clock(note.at) })}
  ${note.refused ? html`<p role="alert">${t("offline.refused")} ${firstOf([`error.${note.refused}`, "error.internal"])}</p><${Btn} kind="btn small" test="note-forget" act=${() => drive.forget(note.id)}>${t("offline.forget")}<//>` : html`<small>${t("offline.waits")}</small>`}</li>`;

/** What was noted and is not entered. */
export const Notes = () => html`${things.value.notes.length > 0 && html`<section class="q sensor" aria-label=${t("offline.notes")} data-test="notes"><h2>${t("offline.notes")}</h2><ul>${things.value.notes.map((note) => html`<${Noted} key=${note.id} note=${note} />`)}</ul></section>`}`;

/** @param {{id: string, one: import("./mission.js").Mission}} props */
function Mission({ id, one }) {
  const [closing, setClosing] = useState(false);
  const said = drive.noted(id).map((note) => note.what);
  const name = one.resident_name;
  return html`<section class="q sensor" data-test="kept-mission"><h2>${t("dispatch.accepted")}</h2><p><b>${name}</b></p><${Facts} one=${one} />
    ${said.includes("close") ? null : closing ? html`<${Outcome} id=${id} name=${name} />` : html`<div class="row"><${Btn} kind="btn go" test="kept-arrive" disabled=${said.includes("arrive")} act=${() => drive.arrive(id, name)}>${t("dispatch.arrive")}<//><${Btn} kind="btn" test="kept-done" act=${() => setClosing(true)}>${t("dispatch.done_button")}<//></div>`}</section>`;
}

/** What is kept is opened by whoever it is kept for. */
const Sealed = () => html`${sealed.value && html`<p><${Btn} icon="unlock" test="open-sealed" act=${openSealed}>${t("offline.open")}<//></p>`}`;

/** On a locked page, when the server cannot be reached. */
export const WhileLocked = () => html`${store.live.contact.value === "trying" && html`<${Kept} />`}`;

/** Before the page knows who she is: the server cannot be reached. */
export function Kept() {
  const { missions, night, patrol } = things.value;
  return html`<${Sealed} /><${Notes} />${Object.entries(missions).map(([id, one]) => html`<${Mission} key=${id} id=${id} one=${one} />`)}
    ${patrol && html`<section class="q sensor" data-test="kept-patrol"><h2>${t("patrol.title")}</h2><p><b>${t("offline.list_from", { time: clock(patrol.at) })}</b></p><ul>${patrol.list.jobs.map((job) => html`<li key=${job.id}><b>${job.resident_name || t("protected.name")}</b> ${job.address} ${job.why.map((key) => t(key)).join(" ")} ${t(`dispatch.${job.state}`)}</li>`)}
      ${patrol.list.to_ring.map((one) => html`<li key=${one.id}><b>${one.resident_name || t("protected.name")}</b> ${t("night.to_phone")} ${one.phone}</li>`)}</ul></section>`}
    ${night && html`<section class="q sensor" data-test="kept-night"><h2>${t("night.list")}</h2><p><b>${t("offline.list_from", { time: clock(night.at) })}</b></p><ul>${night.list.map((one) => html`<li key=${one.id}>${clock(one.starts_at)} <b>${one.resident_name || t("protected.name")}</b> ${firstOf([`offline.state.${one.state}`, "offline.state.done"])} ${one.resident_phone}</li>`)}</ul></section>`}`;
}
