// Alarms: the queue's first, and the page of the one she has taken. Fetched as soon as the page stands.
import { effect, html, useState } from "../lib/preact.js";
import { get, post } from "../core/api.js";
import { bootValues, clock, date, duration, format, t } from "../core/i18n.js";
import { PATHS } from "../core/icons.js";
import { Icon } from "./icons.js";
import * as store from "./store.js";
import { Btn, Choice, Loading, Radios, Text, useFetched, usePage } from "./ui.js";

/** @typedef {import("../core/wire").AlarmRow} AlarmRow */
/** @typedef {{at: string, kind: string, by: string|null, unit: string|null, what: {[key: string]: string}}} Step */
/** @typedef {{id: string, name: string}} Item */
/**
 * @typedef {object} Alarm
 * @property {string} id
 * @property {string} state
 * @property {string} trigger
 * @property {string} device
 * @property {string} place
 * @property {string} resident_id
 * @property {string} resident_name
 * @property {string} pressed_at
 * @property {boolean} mine
 * @property {boolean} cancelled
 * @property {boolean} may_close
 * @property {Step[]} steps
 * @property {string|null} next_at
 * @property {string|null} next_unit
 * @property {Item[]} causes
 * @property {Item[]} measures
 */
/** @typedef {{address: string, phone: string, to_know: string[], contacts: Array<{name: string, what: string, phone: string, stands_for_her: boolean, may_be_told: string}>}} Card */

Object.assign(PATHS, { bell: "M6 17v-6a6 6 0 0 1 12 0v6l2 2H4zM10 21.5h4", next: "M4 12h15M13 6l6 6-6 6" });

const sheet = document.createElement("link");
sheet.rel = "stylesheet";
sheet.href = `${bootValues().static}/css/alarm.css`;
document.head.append(sheet);

/** A dimmed screen stops the page's sound on some phones: it stays lit through the shift. */
async function stayLit() {
  try {
    if (store.me.value && store.me.value.shift && !document.hidden) await navigator.wakeLock.request("screen");
  } catch (_) { /* the battery is low, or the browser cannot: the page says what a locked phone does */ }
}
document.addEventListener("visibilitychange", stayLit);
effect(() => { if (store.me.value && store.me.value.shift) stayLit(); });

const WHO = ["resident", "cohabitant", "relative", "other"];
const PRESSED = ["resident", "cohabitant", "relative", "staff", "device", "unknown"];
const DONE = ["pressed", "stored", "asked", "taken", "met", "noted", "sent", "on_the_way", "closed", "cancelled", "withdrawn"];

/** "armband, sovrum" @param {{device: string, place: string}} one */
const whence = (one) => [one.device, one.place].filter(Boolean).join(", ");
/** "Armband, sovrum." @param {{device: string, place: string}} one */
const Whence = (one) => `${whence(one)}.`.replace(/^./, (first) => first.toUpperCase());
/** With seconds: they count here. @param {string} at */
const exact = (at) => format("exact", { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" }, "sv").format(date(at));

/** @param {AlarmRow} row */
async function take(row) {
  await store.unlockSound();
  await post(`/api/alarms/${row.id}/take`);
  store.go(`alarm/${row.id}`);
}

/** @param {{row: AlarmRow}} props */
function Waits({ row }) {
  const at = store.now.value;
  const me = store.me.value;
  const mine = me !== null && row.taken_by_id === me.staff_id;
  const may = me !== null && me.may.includes("alarm");
  const lines = [Whence(row)];
  if (row.absent) lines.push(store.isAway(row.absent));
  if (row.cancelled) lines.push(t("alarm.cancelled"));
  if (row.returned_why && row.state === "new") lines.push(t(`alarm.returned.${row.returned_why}`, { name: row.returned_from || "", time: clock(row.returned_at || row.since) }));
  if (row.state === "new" && row.next_at && Date.parse(row.next_at) > at) lines.push(t("alarm.next", { n: Math.ceil((Date.parse(row.next_at) - at) / 1000) }));
  return html`<article class=${`q ${row.state === "new" ? "alarm" : "sensor"}`} data-test="alarm" data-state=${row.state} data-id=${row.id}>
    <h3><${Icon} name="bell" />${t(`alarm.trigger.${row.trigger}`)}<span class="since">${duration(at - Date.parse(row.since))}</span></h3>
    <p><b>${row.resident_name}</b>${lines.join(" ")}${row.unit_name ? ` ${t("queue.of_unit", { unit: row.unit_name })}` : ""}</p>
    ${row.taken_by && !mine && html`<p role="status">${t("alarm.took", { name: row.taken_by })}</p>`}
    <div class="row">${row.state === "new" && may && html`<${Btn} kind="btn stop" test="take-alarm" label=${t("alarm.answer_name", { name: row.resident_name })} act=${() => take(row)}>${t("alarm.answer")}<//>`}
      ${mine && html`<a class="btn go" data-test="to-alarm" href=${`#/alarm/${row.id}`}>${t("alarm.go_on")}</a>`}</div></article>`;
}

/** @param {{list: AlarmRow[]}} props */
export const Alarms = ({ list }) => html`${list.map((row) => html`<${Waits} key=${row.id} row=${row} />`)}`;

/** On every other page; it never takes the focus. @param {{row: AlarmRow}} props */
export const Strip = ({ row }) => html`<div class="strip alarm" data-test="alarm-strip"><${Icon} name="bell" /><b>${t(`alarm.trigger.${row.trigger}`)}</b><span>${row.resident_name}, ${whence(row)}.</span><span class="since">${duration(store.now.value - Date.parse(row.since))}</span>
  <${Btn} kind="btn stop" test="take-alarm" label=${t("alarm.answer_name", { name: row.resident_name })} act=${() => take(row)}>${t("alarm.answer")}<//></div>`;

/** Said on every page until it is mended: nobody receives, a record is missing. @param {{row: import("../core/wire").ReceiversRow}} props */
export const Trouble = ({ row }) => html`${!row.names.length && html`<p class="strip alarm" role="alert" data-test="nobody-receives"><${Icon} name="warn" /><b>${t("alarm.nobody", { unit: store.me.value ? store.me.value.unit_name : "" })}</b></p>`}
  ${Number(row.records_owed) > 0 && html`<p class="strip alarm" role="alert" data-test="records-owed"><${Icon} name="warn" /><b>${t("alarm.records_owed", { n: row.records_owed })}</b></p>`}`;

/** Whose pages would sound, and what a phone cannot. */
export const Receivers = () => html`<p class="soft" data-test="receivers">${t("alarm.receivers", { names: (store.receivers.value ? store.receivers.value.names : []).map((name) => name || t("protected.name")).join(", ") })} ${t("alarm.locked_phone")}</p>`;

/** @param {{step: Step, name: string}} props */
function Happened({ step, name }) {
  const values = { name, by: step.by || "", unit: step.unit || "", ...step.what };
  const key = ["returned", "rang"].includes(step.kind) ? `alarm.${step.kind}.${step.what.why}` : step.kind === "met" ? `alarm.met.${step.what.contact}` : `alarm.step.${step.kind}`;
  return html`<li><time datetime=${step.at}>${exact(step.at)}</time><${Icon} name=${DONE.includes(step.kind) ? "check" : "x"} /><span>${t(key, { ...values, name: step.kind === "returned" ? values.by : values.name, time: clock(step.at) })}</span></li>`;
}

/** What is done already decides what is next. @param {Alarm} alarm */
function doNow(alarm) {
  const done = alarm.steps.map((step) => step.kind);
  const what = done.filter((kind) => ["sent", "on_the_way"].includes(kind)).pop() || (done.includes("rang") ? "rang" : "");
  return what ? `alarm.do_now.${what}` : "alarm.do_now";
}

/** @param {{alarm: Alarm, done: () => void}} props */
function Close({ alarm, done }) {
  const [by, setBy] = useState("resident");
  const [cause, setCause] = useState("");
  const [measure, setMeasure] = useState("");
  const [note, setNote] = useState("");
  const options = (/** @type {Item[]} */ list) => [{ value: "", text: t("alarm.choose") }, ...list.map((one) => ({ value: one.id, text: one.name }))];
  const save = async () => {
    await post(`/api/alarms/${alarm.id}/close`, { pressed_by: by, cause_id: cause, measure_id: measure, note: note.trim() });
    store.go("");
    setTimeout(() => store.tell(t("alarm.closed", { name: alarm.resident_name })), 50);
  };
  if (!alarm.causes.length || !alarm.measures.length) return html`<p class="panel" role="status">${t("alarm.no_lists")}</p>`;
  return html`<section class="panel" data-test="close-alarm"><h2>${t("alarm.close_title")}</h2>
    <${Radios} legend=${t("alarm.who_pressed")} name="pressed_by" value=${by} set=${setBy} columns="two" options=${PRESSED.map((one) => ({ value: one, text: t(`alarm.pressed_by.${one}`) }))} />
    <${Choice} id="cause" label=${t("alarm.cause")} value=${cause} set=${setCause} options=${options(alarm.causes)} />
    <${Choice} id="measure" label=${t("alarm.measure")} value=${measure} set=${setMeasure} options=${options(alarm.measures)} />
    <${Text} id="alarm-note" label=${t("alarm.note")} value=${note} set=${setNote} lines=${2} max=${2000} />
    <div class="row"><${Btn} kind="btn go" icon="check" test="save-close" disabled=${!cause || !measure} act=${save}>${t("alarm.save")}<//><${Btn} act=${done}>${t("common.cancel")}<//></div></section>`;
}

/** @param {{id: string}} props */
export function AlarmPage({ id }) {
  const row = /** @type {AlarmRow|undefined} */ (store.alarms.value.find((one) => one.id === id));
  const [open, setOpen] = useState("");
  const [text, setText] = useState("");
  const [to, setTo] = useState("resident");
  const [changed, setChanged] = useState(0);
  const found = useFetched(() => get(`/api/alarms/${id}`), [id, changed, row ? JSON.stringify(row) : ""]);
  const alarm = /** @type {Alarm|null} */ (found.value);
  const card = useFetched(async () => (alarm && alarm.mine ? get(`/api/residents/${alarm.resident_id}`) : null), [alarm ? alarm.mine : false]);
  const known = /** @type {Card|null} */ (card.value);
  const near = known ? known.contacts.filter((one) => !one.stands_for_her) : [];
  const name = alarm ? alarm.resident_name || t("protected.name") : "";
  const title = alarm ? t("alarm.title", { what: t(`alarm.trigger.${alarm.trigger}`), name }) : t("alarm.trigger.button");
  const heading = usePage(title);
  const at = store.now.value;
  /** @param {string} what @param {object} [body] */
  const say = async (what, body) => {
    await post(`/api/alarms/${id}/${what}`, body || {});
    setOpen("");
    setText("");
    setChanged(changed + 1);
  };
  if (!alarm) return html`<main id="main"><h1 class="vh">${title}</h1><${Loading} error=${found.error} again=${found.again} /></main>`;
  const over = ["closed", "cancelled", "tested"].includes(alarm.state);
  const holder = row && row.taken_by && !alarm.mine ? row.taken_by : "";
  return html`<main id="main" data-test="alarm-page" data-state=${alarm.state}>
    <section class="alarmhead" aria-label=${t("alarm.one")}><${Icon} name="bell" /><div><h1 tabindex="-1" ref=${heading}>${title}</h1><p>${Whence(alarm)}${alarm.cancelled ? ` ${t("alarm.cancelled")}` : ""}</p></div>
      ${!over && html`<div class="t" role="timer" aria-label=${t("alarm.since")}>${duration(at - Date.parse(alarm.pressed_at))}<small>${t("alarm.since")}</small></div>`}</section>
    ${holder && html`<p class="panel" role="status">${t("alarm.took", { name: holder })}</p>`}
    ${!alarm.mine && !holder && !over && row && html`<div class="acts"><${Btn} kind="btn stop" icon="bell" test="take-alarm" act=${() => post(`/api/alarms/${id}/take`).then(() => setChanged(changed + 1))}>${t("alarm.answer")}<//></div>`}
    ${alarm.mine && !over && html`<div class="acts"><${Btn} kind="btn go" icon="phone" test="alarm-ring" disabled=${Boolean(store.call.value)} act=${() => store.ringResident(alarm.resident_id)}>${t(alarm.steps.some((step) => step.kind === "rang") ? "alarm.ring_again" : "alarm.ring")}<//>
      <${Btn} icon="go" test="alarm-send" act=${() => say("send")}>${t("alarm.send")}<//>
      <${Btn} icon="phone" test="alarm-talked" pressed=${open === "talked"} act=${() => setOpen("talked")}>${t("alarm.talked")}<//>
      <${Btn} icon="note" test="alarm-note" pressed=${open === "note"} act=${() => setOpen("note")}>${t("alarm.write")}<//>
      <${Btn} icon="check" test="alarm-done" disabled=${!alarm.may_close} act=${() => setOpen("close")}>${t("alarm.done")}<//></div>
      ${!alarm.may_close && html`<p class="soft">${t("alarm.done_when", { name })}</p>`}`}
    ${open === "talked" && html`<section class="panel"><${Radios} legend=${t("alarm.talked_with")} name="talked" value=${to} set=${setTo} columns="two" options=${WHO.map((one) => ({ value: one, text: t(`alarm.with.${one}`) }))} />
      <div class="row"><${Btn} kind="btn go" test="save-talked" act=${() => say("talked", { to })}>${t("alarm.save")}<//><${Btn} act=${() => setOpen("")}>${t("common.cancel")}<//></div></section>`}
    ${open === "note" && html`<section class="panel"><${Text} id="note" label=${t("alarm.note")} value=${text} set=${setText} lines=${2} />
      <div class="row"><${Btn} kind="btn go" test="save-note" disabled=${!text.trim()} act=${() => say("note", { text: text.trim() })}>${t("alarm.save")}<//><${Btn} act=${() => setOpen("")}>${t("common.cancel")}<//></div></section>`}
    ${open === "close" && alarm.may_close && html`<${Close} alarm=${alarm} done=${() => setOpen("")} />`}
    <div class="alarmcols"><section class="panel"><h2>${t("alarm.happened")}</h2><ol class="chain">${alarm.steps.map((step, n) => html`<${Happened} key=${n} step=${step} name=${name} />`)}
        ${!over && alarm.mine && !alarm.may_close && html`<li class="now"><b>${t("alarm.now")}</b><${Icon} name="clock" /><b>${t(doNow(alarm))}</b></li>`}
        ${!over && alarm.next_at && html`<li class="then"><time datetime=${alarm.next_at}>${exact(alarm.next_at)}</time><${Icon} name="next" /><span>${t(alarm.mine ? "alarm.else_queue" : alarm.next_unit ? "alarm.else_next" : "alarm.else_head", { unit: alarm.next_unit || "" })}</span></li>`}</ol></section>
      <div>${known && known.to_know.length > 0 && html`<section class="panel note"><h2>${t("alarm.to_know")}</h2><ul>${known.to_know.map((one) => html`<li key=${one}>${one}</li>`)}</ul></section>`}
        ${known && html`<section class="panel"><h2>${t("alarm.where")}</h2><p><b>${known.address}</b></p>${known.phone && html`<p>${known.phone}</p>`}<a class="btn small" href=${`#/people/${alarm.resident_id}`}>${t("common.card")}</a></section>`}
        ${near.length > 0 && html`<section class="panel" data-test="relatives"><h2>${t("alarm.relatives")}</h2><ul class="line">${near.map((one) => html`<li key=${one.phone + one.name}><b><a href=${`tel:${one.phone.replace(/[^+\d]/g, "")}`}>${one.phone}</a></b><span>${one.name}, ${one.what}<small>${one.may_be_told ? t("alarm.may_be_told", { what: one.may_be_told }) : t("alarm.told_nothing")}</small></span></li>`)}</ul></section>`}
        <section class="panel"><h2>${t("alarm.danger")}</h2><p class="soft">${t("alarm.ring_112_why")}</p><a class="btn" href="tel:112"><${Icon} name="phone" />${t("alarm.ring_112")}</a></section></div></div>
    ${alarm.mine && !over && html`<p><${Btn} kind="btn small" icon="swap" test="alarm-give-back" act=${() => say("give-back")}>${t("alarm.give_back")}<//></p>`}</main>`;
}
