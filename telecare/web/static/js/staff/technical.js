// Technical alarms and Driftstörning: beside the day's list, calm, each with its one thing to do.
import { html, useState } from "../lib/preact.js";
import { post } from "../core/api.js";
import { t } from "../core/i18n.js";
import { Icon } from "./icons.js";
import * as store from "./store.js";
import { Btn, Text } from "./ui.js";
import { whenText } from "./when.js";

/** @typedef {import("../core/wire").TechnicalRow} TechnicalRow */
/** @typedef {import("../core/wire").OutageRow} OutageRow */

/** @param {string} since */
const minutes = (since) => t("queue.minutes", { n: Math.max(0, Math.floor((store.now.value - Date.parse(since)) / 60000)) });
/** @param {TechnicalRow|OutageRow} row */
const isMine = (row) => store.me.value !== null && row.taken_by_id === store.me.value.staff_id;
const mayTake = () => store.me.value !== null && store.me.value.may.includes("alarm");

/** @param {{row: TechnicalRow}} props */
function Technical({ row }) {
  const [closing, setClosing] = useState(false);
  const [note, setNote] = useState("");
  const lines = [t(`technical.${row.kind}.why`, { device: row.device || t("technical.unit"), detail: row.detail, time: whenText(row.since, store.now.value) })];
  if (row.unit_name) lines.push(t("queue.of_unit", { unit: row.unit_name }));
  if (row.taken_by && !isMine(row)) lines.push(t("task.taken", { name: row.taken_by }));
  return html`<article class="q sensor later" data-test="technical" data-kind=${row.kind} data-taken=${row.taken_by || ""}><h3><${Icon} name="plug" />${t(`technical.${row.kind}`)}<span class="since">${minutes(row.since)}</span></h3>
    <p><b>${row.resident_name || t("technical.nobody")}</b>${lines.join(" ")}</p>
    ${closing ? html`<${Text} id=${`technical-${row.id}`} label=${t("technical.note")} value=${note} set=${setNote} lines=${2} /><div class="row">
      <${Btn} kind="btn go" test="technical-close" disabled=${!note.trim()} act=${() => post(`/api/technical/${row.id}/close`, { note: note.trim() })}>${t("task.close")}<//><${Btn} act=${() => setClosing(false)}>${t("common.cancel")}<//></div>`
    : mayTake() && html`<div class="row wrap">${!row.taken_by && html`<${Btn} kind="btn go" test="technical-take" label=${t("task.take_name", { name: row.resident_name })} act=${() => post(`/api/technical/${row.id}/take`)}>${t("task.take")}<//>`}
      ${row.resident_id && html`<a class="btn" href=${`#/people/${row.resident_id}`}>${t("common.card")}</a>`}<${Btn} test="technical-done" act=${() => setClosing(true)}>${t("task.done")}<//></div>`}</article>`;
}

/** @param {{row: OutageRow}} props */
function Outage({ row }) {
  return html`<article class="q sensor later" data-test="outage" data-shares=${row.shares}><h3><${Icon} name="plug" />${t("outage.title")}<span class="since">${minutes(row.since)}</span></h3>
    <p><b>${t("outage.homes", { n: row.homes.length })}</b>${t(`outage.${row.shares}`, { name: row.name })} ${t("outage.why")}${row.taken_by && !isMine(row) ? ` ${t("task.taken", { name: row.taken_by })}` : ""}</p>
    <details><summary>${t("outage.list")}</summary><ul>${row.homes.map((home) => html`<li key=${home.resident_id}><a href=${`#/people/${home.resident_id}`}>${home.resident_name || t("protected.name")}</a></li>`)}</ul></details>
    ${!row.taken_by && mayTake() && html`<div class="row"><${Btn} kind="btn go" test="outage-take" act=${() => post(`/api/outages/${row.id}/take`)}>${t("task.take")}<//></div>`}</article>`;
}

/** @param {{technical: TechnicalRow[], outages: OutageRow[]}} props */
export const Faults = ({ technical, outages }) => html`<h2>${t("technical.title")}</h2>${outages.map((row) => html`<${Outage} key=${row.id} row=${row} />`)}${technical.map((row) => html`<${Technical} key=${row.id} row=${row} />`)}`;
