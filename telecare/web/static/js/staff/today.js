// The day's list, and who waits at its side.
import { html, useState } from "../lib/preact.js";
import { clock, dayMonth, duration, t, weekday } from "../core/i18n.js";
import { Icon } from "./icons.js";
import { Part } from "./later.js";
import * as store from "./store.js";
import { Btn, initials, Tag, usePage } from "./ui.js";

/** @typedef {import("../core/wire").VisitRow} VisitRow */
/** @typedef {import("../core/wire").CallRow} CallRow */

const SOON_MS = 5 * 60 * 1000;
const ENDED = ["done", "cancelled", "stepped", "absent"];
const OPEN = ["ringing", "in_call", "unfinished", "needs_step"];

/** @param {VisitRow} row @param {number} at @returns {"now"|"later"|"done"} */
export function part(row, at) {
  if (ENDED.includes(row.state)) return "done";
  if (OPEN.includes(row.state) || Date.parse(row.starts_at) <= at + SOON_MS) return "now";
  return "later";
}

/** @param {VisitRow} row */
const needsAction = (row) => row.state === "needs_step" || row.state === "unfinished";
/** "Tillsyn, 10 min. 3 saker att göra." @param {VisitRow} row */
function whatText(row) {
  const base = t("today.what", { insats: row.insats, minutes: row.minutes });
  return row.tasks ? `${base} ${t("today.tasks", { n: row.tasks })}` : base;
}

/** @param {VisitRow} row @param {string|null} mine */
function tags(row, mine) {
  const list = [];
  if (row.resident_language !== "sv") list.push(html`<${Tag} kind="info"><span lang=${row.resident_language}>${t(`language.own.${row.resident_language}`)}</span><//>`);
  if (!ENDED.includes(row.state) && row.screen !== "here") list.push(html`<${Tag} kind="warn">${t(`screen.${row.screen}`)}<//>`);
  if (row.state === "done") list.push(html`<${Tag} kind=${row.outcome === "all_well" ? "ok" : "warn"}>${row.outcome ? t(`outcome.${row.outcome}`) : t("today.done")}<//>`);
  else if (row.state === "stepped" && row.step) list.push(html`<${Tag} kind="warn">${t(`step.${row.step}`)}${row.step_at ? ` ${clock(row.step_at)}` : ""}<//>`);
  else if (row.state !== "planned") list.push(html`<${Tag} kind=${needsAction(row) ? "warn" : "info"}>${t(`visit_state.${row.state}`)}<//>`);
  if (row.unit_name) list.push(html`<${Tag} kind="plain">${row.unit_name}<//>`);
  if (row.staff_id !== mine && row.staff_name) list.push(html`<${Tag} kind="plain">${row.staff_name}<//>`);
  return list;
}

/** @param {{row: VisitRow, first: boolean}} props */
function Visit({ row, first }) {
  const [open, setOpen] = useState(false);
  const mine = store.me.value ? store.me.value.staff_id : null;
  const state = part(row, store.now.value);
  const busy = Boolean(store.call.value);
  const name = html`<a class="name" href=${`#/people/${row.resident_id}`}>${row.resident_name}</a>`;
  return html`<li class=${`v ${state}`} data-test="visit" data-state=${row.state} data-id=${row.id}>
    <time datetime=${row.starts_at}>${clock(row.starts_at)}</time><span class="ava" aria-hidden="true">${initials(row.resident_name)}</span>
    <div><b>${name}</b> ${tags(row, mine)}<div class="what">${whatText(row)}${row.resident_language !== "sv" ? ` ${t(`today.speaks.${row.resident_language}`)}` : ""}</div></div>
    <div class="act">
      ${row.state === "planned" && html`<${Btn} kind=${first ? "btn go" : "btn"} icon="video" test="ring" label=${t(first ? "today.ring_now_name" : "today.ring_name", { name: row.resident_name })} disabled=${busy} act=${() => store.ringVisit(row.id)}>${t(first ? "today.ring_now" : "today.ring")}<//>`}
      ${row.state === "unfinished" && html`<a class="btn go" data-test="finish" href=${`#/after/${row.id}`}>${t("today.finish")}</a>`}
      ${(row.state === "absent" ? store.mayPlan.value : row.state === "planned" && (store.mayPlan.value || row.staff_id === mine)) && html`<button type="button" class="btn small more" data-test="more" aria-expanded=${String(open)} aria-label=${t("today.more_name", { name: row.resident_name })} onClick=${() => setOpen(!open)}>${t("today.more")}</button>`}
    </div>
    ${row.state === "needs_step" && html`<div class="wide"><${Part} from="steps" name="Steps" given=${{ row }} /></div>`}
    ${open && html`<div class="wide"><${Part} from="change" name="Change" given=${{ row, done: () => setOpen(false) }} /></div>`}</li>`;
}

export function Today() {
  const [filter, setFilter] = useState("mine");
  const heading = usePage(t("today.title"));
  const me = store.me.value;
  const at = store.now.value;
  const mine = (/** @type {VisitRow} */ row) => !me || row.staff_id === me.staff_id || row.staff_id === null;
  const all = store.visits.value;
  const shown = all.filter((row) => (filter === "team" ? true : filter === "action" ? needsAction(row) : mine(row)));
  const parts = { now: shown.filter((row) => part(row, at) === "now"), later: shown.filter((row) => part(row, at) === "later"), done: shown.filter((row) => part(row, at) === "done").reverse() };
  const first = (parts.now.find((row) => row.state === "planned") || parts.later[0] || { id: "" }).id;
  const filters = [
    { value: "mine", text: t("today.mine", { count: all.filter(mine).length }) },
    { value: "team", text: t("today.team") },
    { value: "action", text: t("today.action", { count: all.filter(needsAction).length }) },
  ];
  /** @param {string} title @param {VisitRow[]} list */
  const block = (title, list) => list.length > 0 && html`<h2 class="part">${title}</h2><ul class="visits">${list.map((row) => html`<${Visit} key=${row.id} row=${row} first=${row.id === first} />`)}</ul>`;
  return html`<main id="main"><div class="top"><h1 tabindex="-1" ref=${heading}>${t("today.title")}</h1><p>${weekday(at)} ${dayMonth(at)}${me ? `, ${me.unit_name}` : ""}</p></div>
    ${me && !me.shift && html`<${Part} from="shift" name="Begin" given=${{}} />`}
    ${me && me.shift && store.toneAsked.value && html`<${Part} from="shift" name="Tone" given=${{}} />`}
    ${me && me.shift && me.shift.tasks.includes("drive") && html`<${Part} from="patrol" name="Way" given=${{}} />`}
    <div class="filters" role="group" aria-label=${t("today.show")}>${filters.map((one) => html`<button type="button" key=${one.value} data-test=${`filter-${one.value}`} aria-pressed=${String(filter === one.value)} onClick=${() => setFilter(one.value)}>${one.text}</button>`)}
      ${store.mayPlan.value && html`<a class="btn small plan" data-test="plan" href="#/plan">${t("today.plan")}</a>`}
      ${store.mayLead.value && html`<a class="btn small" data-test="taken-over-link" href="#/taken-over">${t("taken_over.title")}</a>`}</div>
    ${!store.loaded.value && html`<p class="soft" role="status">${t("common.loading")}</p>`}
    ${store.loaded.value && !shown.length && html`<p class="panel soft">${t(`today.empty.${filter}`)}</p>`}
    ${block(t("today.now"), parts.now)}${block(t("today.later"), parts.later)}${block(t("today.finished", { done: parts.done.length, all: shown.length }), parts.done)}</main>`;
}

// --- the queue --------------------------------------------------------------------------------

/** @param {{row: CallRow}} props */
function Waiting({ row }) {
  const at = store.now.value;
  const me = store.me.value;
  const forMe = !me || store.forMe(row, me, at);
  const lines = [t(`queue.from.${row.source}`)];
  if (row.absent) lines.push(store.isAway(row.absent));
  if (row.unit_name) lines.push(t("queue.of_unit", { unit: row.unit_name }));
  if (row.resident_language !== "sv") lines.push(t(`today.speaks.${row.resident_language}`));
  if (!forMe && row.first_until) lines.push(t(`queue.first.${row.first_for}`, { n: Math.max(1, Math.ceil((Date.parse(row.first_until) - at) / 1000)) }));
  else if (row.next_unit_at && !row.taken_by && Date.parse(row.next_unit_at) > at) lines.push(t("queue.next_unit", { n: Math.ceil((Date.parse(row.next_unit_at) - at) / 1000) }));
  return html`<article class="q call" data-test="call-in" data-id=${row.id}><h3><${Icon} name="phone" />${t("queue.rings_in")}<span class="since">${duration(at - Date.parse(row.since))}</span></h3>
    <p><b>${row.resident_name}</b>${lines.join(" ")}</p>
    ${row.taken_by ? html`<p role="status">${t("queue.taken", { name: row.taken_by })}</p>`
    : html`<div class="row"><${Btn} kind=${forMe ? "btn go" : "btn"} test="answer" label=${t("queue.answer_name", { name: row.resident_name })} disabled=${!forMe || Boolean(store.call.value)} act=${() => store.takeCallIn(row.id)}>${t("queue.answer")}<//>
      <a class="btn" href=${`#/people/${row.resident_id}`}>${t("common.card")}</a></div>`}</article>`;
}

/** All that waits. */
export function Queued() {
  const list = Array.from(store.rows.value.values());
  const rest = list.filter((row) => ["task", "dispatch", "absence"].includes(row.row));
  const technical = list.filter((row) => row.row === "technical");
  const outages = list.filter((row) => row.row === "outage");
  const hands = store.handOvers.value;
  const alarms = store.alarms.value;
  const waiting = store.waiting.value;
  const some = waiting.length || alarms.length;
  return html`<div role="region" aria-live="assertive" aria-label=${t("queue.new")}>${alarms.length > 0 && html`<${Part} from="alarm" name="Alarms" given=${{ list: alarms }} />`}
      ${waiting.map((row) => html`<${Waiting} key=${row.id} row=${row} />`)}</div>
    ${!some && html`<p class="soft later">${t("queue.nobody")}</p>`}
    ${store.receivers.value && store.receivers.value.names.length > 0 && html`<${Part} from="alarm" name="Receivers" given=${{}} />`}
    ${hands.length > 0 && html`<${Part} from="shift" name="HandOvers" given=${{ list: hands }} />`}
    ${technical.length + outages.length > 0 && html`<${Part} from="technical" name="Faults" given=${{ technical, outages }} />`}
    ${rest.length > 0 && html`<${Part} from="queue" name="Rest" given=${{ list: rest }} />`}`;
}

/** Beside the day's list. */
export const Queue = () => html`<aside class=${store.waiting.value.length || store.alarms.value.length ? "side rings" : "side"} aria-label=${t("queue.title")}><h2>${t("queue.title")}</h2><${Queued} /></aside>`;
