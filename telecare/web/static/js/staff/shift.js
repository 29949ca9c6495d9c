// Beginning a shift, ending it, and what goes from hand to hand.
import { html, useState } from "../lib/preact.js";
import { get, post } from "../core/api.js";
import { clock, firstOf, t } from "../core/i18n.js";
import { Icon } from "./icons.js";
import * as store from "./store.js";
import { Btn, Choice, Loading, NoticeBox, useFetched, usePage } from "./ui.js";

/** @typedef {import("../core/wire").HandOverRow} HandOverRow */
/** @typedef {{id: string, state: "asked"|"declined"|"unanswered", to_name: string}} Asked */
/** @typedef {{kind: string, id: string, resident_id: string, resident_name: string, since: string, can_hand_over: boolean, not_to: string[], asked: Asked|null}} Held */
/** @typedef {{items: Held[], colleagues: Array<{id: string, name: string, unit_name: string}>, units: Array<{id: string, name: string}>}} HeldList */

const TASKS = ["alarm", "round", "drive"];

/** What it is that is held. @param {string} kind */
const what = (kind) => firstOf([`held.${kind}`, "held.other"]);

/** Also what unlocks the sound. */
export function Begin() {
  const me = /** @type {store.Me} */ (store.me.value);
  const [unit, setUnit] = useState(me.unit_id);
  const [tasks, setTasks] = useState(/** @type {string[]} */ ([]));
  /** @param {string} task */
  const turn = (task) => setTasks((old) => (old.includes(task) ? old.filter((one) => one !== task) : [...old, task]));
  return html`<section class="note shift" aria-label=${t("begin.title")}><h2>${t("begin.title")}</h2><p>${t("begin.why")}</p>
    <div class="row wrap" role="group" aria-label=${t("begin.tasks")}>${TASKS.map((task) => html`<button type="button" class="btn" key=${task} data-test=${`does-${task}`} aria-pressed=${String(tasks.includes(task))} onClick=${() => turn(task)}>${tasks.includes(task) && html`<${Icon} name="check" />`}${t(`begin.task.${task}`)}</button>`)}</div>
    <div class="row wrap end">${me.units.length > 1 && html`<${Choice} id="unit" label=${t("begin.unit")} value=${unit} set=${setUnit} options=${me.units.map((one) => ({ value: one.id, text: one.name }))} />`}
    <${Btn} kind="btn go" icon="check" test="begin-shift" act=${() => store.beginShift(unit, tasks)}>${t("begin.button")}<//></div></section>`;
}

/** Did she hear the tone that alarms have? */
export function Tone() {
  return html`<section class="note shift" data-test="tone" aria-label=${t("begin.tone")}><p role="status"><b>${t("begin.heard")}</b></p>
    <div class="row wrap"><${Btn} icon="sound" test="tone-again" act=${store.playTone}>${t("begin.again")}<//>
    <${Btn} kind="btn go" icon="check" test="tone-heard" act=${() => { store.toneAsked.value = false; }}>${t("begin.yes")}<//></div></section>`;
}

/** In the queue: asked of me, and what became of what I asked. @param {{list: HandOverRow[]}} props */
export function HandOvers({ list }) {
  return html`<h2>${t("hand_over.title")}</h2>${list.map((row) => (store.fromMe(row) ? html`<${Mine} key=${row.id} row=${row} />` : html`<${Offered} key=${row.id} row=${row} />`))}`;
}

/** @param {{row: HandOverRow}} props */
function Offered({ row }) {
  const accept = async () => {
    await store.withReason(row.resident_id, () => post(`/api/hand-overs/${row.id}/accept`));
    store.tell(t("hand_over.accepted", { what: what(row.kind), name: row.resident_name }));
  };
  return html`<article class="q sensor" data-test="hand-over-offer" role="status"><h3><${Icon} name="swap" />${t("hand_over.wants", { name: row.from_name })}</h3>
    <p><b>${row.resident_name}</b>${what(row.kind)}${row.to_id === null ? ` (${row.to_name})` : ""}</p>
    <div class="row"><${Btn} kind="btn go" test="hand-over-accept" act=${accept}>${t("hand_over.accept")}<//>
    ${row.to_id !== null && html`<${Btn} test="hand-over-decline" act=${() => post(`/api/hand-overs/${row.id}/decline`)}>${t("hand_over.decline")}<//>`}</div></article>`;
}

/** @param {{row: HandOverRow}} props */
function Mine({ row }) {
  return html`<article class="q sensor later" data-test="hand-over-mine" data-state=${row.state} role="status"><h3><${Icon} name="swap" />${what(row.kind)}</h3>
    <p><b>${row.resident_name}</b>${t(`hand_over.${row.state}`, { name: row.to_name })}</p>
    <div class="row"><a class="btn" href="#/end-shift">${t("hand_over.to_end")}</a></div></article>`;
}

/** Ends when nothing is held any more; each thing goes to somebody who says yes. */
export function EndPage() {
  const heading = usePage(t("shift_end.title"));
  // Whatever changes on the board may be an answer.
  const found = useFetched(() => get("/api/shifts/held"), [store.rows.value]);
  const list = /** @type {HeldList|null} */ (found.value);
  const end = async () => {
    await store.endShift();
    await found.again();
  };
  return html`<main id="main"><a class="crumb" href="#/"><${Icon} name="back" />${t("today.title")}</a><div class="top"><h1 tabindex="-1" ref=${heading}>${t("shift_end.title")}</h1></div><${NoticeBox} />
    ${!list && html`<${Loading} error=${found.error} again=${found.again} />`}
    ${list && html`<p class="lead" role="status" data-test="held-count">${t(list.items.length ? "shift_end.lead" : "shift_end.nothing")}</p>
      ${list.items.map((one) => html`<${Thing} key=${one.id} one=${one} list=${list} again=${found.again} />`)}
      <p><${Btn} kind=${list.items.length ? "btn" : "btn go"} icon="check" test="end-shift-now" act=${end}>${t("shift_end.button")}<//></p>`}</main>`;
}

/** @param {{one: Held, list: HeldList, again: () => Promise<void>}} props */
function Thing({ one, list, again }) {
  const people = list.colleagues.filter((each) => !one.not_to.includes(each.id)).map((each) => ({ value: `staff_id ${each.id}`, text: t("shift_end.colleague", { name: each.name || t("protected.name"), unit: each.unit_name }) }));
  const units = list.units.map((each) => ({ value: `unit_id ${each.id}`, text: t("shift_end.unit", { unit: each.name }) }));
  const options = [...people, ...units];
  const [chosen, setChosen] = useState(options.length ? options[0].value : "");
  const asked = one.asked;
  const ask = async () => {
    const [who, id] = chosen.split(" ");
    await post("/api/hand-overs", { kind: one.kind, about_id: one.id, [who]: id });
    await again();
  };
  const keep = async () => {
    if (asked) await post(`/api/hand-overs/${asked.id}/withdraw`);
    await again();
  };
  return html`<section class="panel held" data-test="held" data-kind=${one.kind} data-asked=${asked ? asked.state : ""}><h2>${what(one.kind)}: <a class="name" href=${`#/people/${one.resident_id}`}>${one.resident_name || t("protected.name")}</a></h2>
    <p class="soft">${t("shift_end.since", { time: clock(one.since) })}</p>
    ${asked && html`<p role="status"><b>${t(`hand_over.${asked.state}`, { name: asked.to_name || t("protected.name") })}</b></p>`}
    ${!one.can_hand_over && html`<p>${t("shift_end.call")}</p>`}
    ${asked && asked.state === "asked" ? html`<div class="row"><${Btn} test="hand-over-keep" act=${keep}>${t("shift_end.keep")}<//></div>`
    : one.can_hand_over && html`<div class="row wrap end"><${Choice} id=${`to-${one.id}`} label=${t("shift_end.to")} value=${chosen} set=${setChosen} options=${options} />
      <${Btn} kind="btn go" icon="swap" test="hand-over-ask" disabled=${!chosen} act=${ask}>${t("shift_end.ask")}<//></div>`}</section>`;
}
