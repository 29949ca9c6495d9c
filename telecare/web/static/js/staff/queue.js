// What waits beside the day's list and does not ring: home visits, tasks, who is away.
import { html, useState } from "../lib/preact.js";
import { post } from "../core/api.js";
import { clock, t } from "../core/i18n.js";
import * as drive from "./drive.js";
import { Icon } from "./icons.js";
import { Part } from "./later.js";
import * as store from "./store.js";
import { Btn, Choice, Text } from "./ui.js";
import { dayShort, whenText } from "./when.js";

/** @typedef {import("../core/wire").Row} Row */
/** @typedef {import("../core/wire").TaskRow} TaskRow */
/** @typedef {import("../core/wire").DispatchRow} DispatchRow */
/** @typedef {import("../core/wire").AbsenceRow} AbsenceRow */

/** @param {{row: TaskRow}} props */
function Task({ row }) {
  const [closing, setClosing] = useState(false);
  const [note, setNote] = useState("");
  const at = store.now.value;
  const closed = ["break_glass", "review_overdue", "log_question", "alarm_unanswered", "night_visit_late", "reassess"].includes(row.kind) && !store.mayLead.value;
  const mine = row.taken_by_id !== null && store.me.value !== null && row.taken_by_id === store.me.value.staff_id;
  return html`<article class="q sensor later" data-test="task" data-kind=${row.kind} data-taken=${row.taken_by || ""}><h3><${Icon} name=${row.kind === "call_back" ? "phone" : "eye"} />${t(`task.${row.kind}`)}<span class="since">${t("queue.minutes", { n: Math.max(0, Math.floor((at - Date.parse(row.since)) / 60000)) })}</span></h3>
    <p><b>${row.resident_name}</b>${t(`task.${row.kind}.why`)}${row.taken_by && !mine ? ` ${t("task.taken", { name: row.taken_by })}` : ""}${row.absent && ` ${store.isAway(row.absent)}`}</p>
    ${closing ? html`<${Text} id=${`note-${row.id}`} label=${t("task.note")} value=${note} set=${setNote} lines=${2} /><div class="row">
      <${Btn} kind="btn go" test="task-close" disabled=${!note.trim()} act=${() => post(`/api/follow-ups/${row.id}/close`, { note: note.trim() })}>${t("task.close")}<//><${Btn} act=${() => setClosing(false)}>${t("common.cancel")}<//></div>`
    : closed ? null : html`<div class="row wrap">${row.kind === "break_glass" && html`<a class="btn" href="#/taken-over">${t("task.read_why")}</a>`}${!row.taken_by && html`<${Btn} kind="btn go" test="task-take" label=${t("task.take_name", { name: row.resident_name })} act=${() => store.withReason(row.resident_id, () => post(`/api/follow-ups/${row.id}/take`))}>${t("task.take")}<//>`}<${Btn} test="task-ring" label=${t("today.ring_name", { name: row.resident_name })} disabled=${Boolean(store.call.value)} act=${() => store.ringResident(row.resident_id)}>${t("today.ring")}<//><${Btn} test="task-done" act=${() => setClosing(true)}>${t("task.done")}<//></div>`}</article>`;
}

/** @param {{row: DispatchRow}} props */
function Dispatch({ row }) {
  const [closing, setClosing] = useState(false);
  const [within, setWithin] = useState("30");
  const at = store.now.value;
  const mine = store.isMission(row.id);
  return html`<article class="q sensor later" data-test="dispatch" data-state=${row.state}><h3><${Icon} name="go" />${t(`dispatch.${row.state}`)}<span class="since">${t("queue.minutes", { n: Math.max(0, Math.floor((at - Date.parse(row.asked_at)) / 60000)) })}</span></h3>
    <p><b>${row.resident_name}</b>${row.accepted_by ? t("dispatch.by", { name: row.accepted_by }) : t("dispatch.nobody")}${row.arrive_by && row.state === "accepted" ? ` ${t("dispatch.arrive_by", { time: clock(row.arrive_by) })}` : ""}${row.absent && ` ${store.isAway(row.absent)}`}</p>
    ${mine && !closing && html`<${Part} from="mission" name="Mission" given=${{ id: row.id, name: row.resident_name }} />`}
    ${row.state === "asked" && html`<${Choice} id=${`within-${row.id}`} label=${t("dispatch.within")} value=${within} set=${setWithin} options=${drive.WITHIN.map((n) => ({ value: String(n), text: t("dispatch.minutes", { n }) }))} />`}
    ${closing ? html`<${Part} from="closing" name="Outcome" given=${{ id: row.id, name: row.resident_name }} />`
    : html`<div class="row">${row.state === "asked" && html`<${Btn} kind="btn go" test="dispatch-accept" act=${() => drive.accept(row.id, Number(within))}>${t("dispatch.accept")}<//>`}
      ${mine && row.state === "accepted" && html`<${Btn} kind="btn go" test="dispatch-arrive" act=${() => drive.arrive(row.id, row.resident_name)}>${t("dispatch.arrive")}<//>`}
      ${mine && row.state === "arrived" && html`<${Btn} kind="btn go" test="dispatch-done" act=${() => setClosing(true)}>${t("dispatch.done_button")}<//>`}
      <a class="btn" href=${`#/people/${row.resident_id}`}>${t("common.card")}</a></div>`}</article>`;
}

/** @param {{row: AbsenceRow}} props */
function Away({ row }) {
  const at = store.now.value;
  return html`<article class="q sensor later" data-test="away" data-kind=${row.kind}><h3><${Icon} name="go" />${t(`absence.kind.${row.kind}`)}<span class="since">${whenText(row.since, at)}</span></h3>
    <p><b>${row.resident_name}</b>${row.until ? t("absence.until", { day: dayShort(row.until), time: clock(row.until) }) : t("absence.open")}</p>
    <div class="row"><${Btn} test="come-home" label=${t("absence.home_name", { name: row.resident_name })} act=${() => store.comeHome(row.id, row.resident_name)}>${t("absence.home")}<//><a class="btn" href=${`#/people/${row.resident_id}`}>${t("common.card")}</a></div></article>`;
}

/** @param {{list: Row[]}} props */
export function Rest({ list }) {
  const tasks = /** @type {TaskRow[]} */ (list.filter((row) => row.row === "task"));
  const dispatches = /** @type {DispatchRow[]} */ (list.filter((row) => row.row === "dispatch" && row.state !== "done"));
  const away = /** @type {AbsenceRow[]} */ (list.filter((row) => row.row === "absence"));
  return html`${dispatches.length > 0 && html`<h2>${t("queue.dispatches")}</h2>${store.me.value && store.me.value.shift && html`<p><a class="btn small" href="#/patrol">${t("patrol.title")}</a></p>`}${dispatches.map((row) => html`<${Dispatch} key=${row.id} row=${row} />`)}`}
    ${tasks.length > 0 && html`<h2>${t("queue.tasks")}</h2>${tasks.map((row) => html`<${Task} key=${row.id} row=${row} />`)}`}
    ${away.length > 0 && html`<h2>${t("absence.title")}</h2>${away.map((row) => html`<${Away} key=${row.id} row=${row} />`)}`}`;
}
