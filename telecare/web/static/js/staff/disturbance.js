// Driftstörning: declared and ended by whoever leads the round; then everybody of the night has a line here.
import { html, useState } from "../lib/preact.js";
import { post } from "../core/api.js";
import { clock, t } from "../core/i18n.js";
import { Icon } from "./icons.js";
import { phoned } from "./drive.js";
import { Btn, Text } from "./ui.js";

/** @typedef {{since: string, reason: string, by: string}} Disturbance */
/** @typedef {{id: string, resident_name: string, phone: string, ring_by: string|null, unit_name: string}} ToRing */
/** @typedef {{id: string, at: string, resident_name: string}} Coming */

/** @param {{one: Disturbance, may: boolean, done: () => unknown}} props */
export const Lasts = ({ one, may, done }) => html`<section class="job trouble" role="status" data-test="disturbance"><h2><${Icon} name="warn" />${t("disturbance.lasts", { time: clock(one.since) })}</h2>
  <p class="why">${t("disturbance.why", { reason: one.reason, name: one.by || t("protected.name") })}</p>
  ${may && html`<div class="row"><${Btn} test="disturbance-over" act=${() => post("/api/disturbance/end").then(done)}>${t("disturbance.over")}<//></div>`}</section>`;

/** @param {{done: () => unknown}} props */
export function Declare({ done }) {
  const [open, setOpen] = useState(false);
  const [reason, setReason] = useState("");
  if (!open) return html`<button type="button" class="wide2" data-test="disturbance-open" onClick=${() => setOpen(true)}><${Icon} name="warn" />${t("disturbance.title")}</button>`;
  return html`<section class="job trouble" aria-label=${t("disturbance.title")}><h2>${t("disturbance.title")}</h2><p class="why">${t("disturbance.what")}</p>
    <${Text} id="disturbance-reason" label=${t("disturbance.reason")} value=${reason} set=${setReason} max=${200} />
    <div class="row2"><${Btn} kind="go" test="disturbance-declare" disabled=${!reason.trim()} act=${() => post("/api/disturbance", { reason: reason.trim() }).then(() => { setOpen(false); return done(); })}>${t("disturbance.declare")}<//><${Btn} kind="" act=${() => setOpen(false)}>${t("common.cancel")}<//></div></section>`;
}

/** @param {{one: ToRing, said: () => unknown}} props */
export function Ring({ one, said }) {
  const name = one.resident_name || t("protected.name");
  /** @param {boolean} reached */
  const say = (reached) => phoned(one.id, reached, name).then(said);
  return html`<li class="job" data-test="to-ring"><p class="top"><span>${t("night.to_phone")}</span>${one.ring_by && html`<span class="push">${t("disturbance.ring_by", { time: clock(one.ring_by) })}</span>`}</p><h2>${name}</h2>${one.unit_name && html`<p class="why">${one.unit_name}</p>`}
    ${one.phone && html`<ul class="facts"><li><${Icon} name="phone" /><span>${one.phone}</span><a href=${`tel:${one.phone.replace(/[^+\d]/g, "")}`} aria-label=${t("patrol.ring_name", { name })}>${t("patrol.ring")}</a></li></ul>`}
    <div class="row2"><${Btn} kind="go" icon="check" test="ring-reached" act=${() => say(true)}>${t("night.reached")}<//><${Btn} kind="" test="ring-in-vain" act=${() => say(false)}>${t("night.not_reached")}<//></div></li>`;
}

/** @param {{list: Coming[]}} props */
export const Later = ({ list }) => html`<h2 class="part">${t("disturbance.coming")}</h2><ul>${list.map((one) => html`<li class="done" key=${one.id} data-test="coming"><time datetime=${one.at}>${clock(one.at)}</time><span><b>${one.resident_name || t("protected.name")}</b></span></li>`)}</ul>`;
