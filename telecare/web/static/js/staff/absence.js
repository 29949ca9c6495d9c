// On a person's card: she is away, since when and who said so; and that she is home again.
import { html, useState } from "../lib/preact.js";
import { post } from "../core/api.js";
import { clock, t } from "../core/i18n.js";
import { Faults, faultsOf } from "./faults.js";
import { Icon } from "./icons.js";
import * as store from "./store.js";
import { Btn, Choice, Text } from "./ui.js";
import { instant, isoDay, whenText } from "./when.js";

/** @typedef {import("../core/wire").AbsenceKind} AbsenceKind */
/** @typedef {{id: string, kind: AbsenceKind, from_at: string, until_at: string|null, reported_by: string, note: string}} Absence */
/** @typedef {{id: string, name: string, given_name: string, absences: Absence[]}} Whose */

/** @type {AbsenceKind[]} */
const KINDS = ["hospital", "short_term", "travel", "other"];
const DAY = /^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$/;
const TIME = /^([01]\d|2[0-3]):[0-5]\d$/;

/** @param {{card: Whose, again: () => Promise<void>}} props */
export function Absences({ card, again }) {
  const [open, setOpen] = useState(false);
  const at = store.now.value;
  /** @param {Absence} one */
  const home = async (one) => {
    await store.comeHome(one.id, card.name);
    if (Date.parse(one.from_at) > at) store.tell(t("card.absence.called_off", { name: card.name }));
    await again();
  };
  /** @param {Absence} one */
  const row = (one) => {
    const ahead = Date.parse(one.from_at) > at;
    return html`<li key=${one.id} data-test="absence" data-kind=${one.kind}><${Icon} name="go" /><div><b>${t(`absence.kind.${one.kind}`)}</b>
      <small>${t("card.absence.from", { time: whenText(one.from_at, at) })} ${one.until_at ? t("card.absence.until", { time: whenText(one.until_at, at) }) : t("card.absence.open")} ${t("card.absence.by", { name: one.reported_by })}</small>${one.note && html`<small>${one.note}</small>`}</div>
      <${Btn} kind=${ahead ? "btn small" : "btn go"} test="come-home" act=${() => home(one)}>${t(ahead ? "card.absence.call_off" : "absence.home")}<//></li>`;
  };
  return html`<section class="panel" data-test="absences"><div class="h"><h2>${t("card.absence.title")}</h2></div>
    ${card.absences.length > 0 && html`<ul class="say">${card.absences.map(row)}</ul>`}
    ${open ? html`<${Form} card=${card} done=${async () => { setOpen(false); await again(); }} close=${() => setOpen(false)} />`
    : html`<button type="button" class="btn small" data-test="report-absence" onClick=${() => setOpen(true)}>${t("card.absence.new")}</button>`}</section>`;
}

/** @param {{card: Whose, done: () => Promise<void>, close: () => void}} props */
function Form({ card, done, close }) {
  const [begun] = useState({ day: isoDay(store.now.value), time: clock(store.now.value) });
  const [form, setForm] = useState({ kind: "hospital", from_day: begun.day, from_time: begun.time, until_day: "", until_time: "12:00", reported_by: "", note: "" });
  const [wrong, setWrong] = useState(/** @type {{faults: {[field: string]: string}, general: string|null, nonce: number}} */ ({ faults: {}, general: null, nonce: 0 }));
  /** @param {string} field */
  const set = (field) => (/** @type {string} */ value) => setForm((old) => ({ ...old, [field]: value }));
  const untouched = form.from_day === begun.day && form.from_time === begun.time;
  const faults = () => {
    /** @type {{[field: string]: string}} */
    const found = {};
    if (!DAY.test(form.from_day) || !TIME.test(form.from_time)) found.from_at = t("common.field_wrong", { field: t("field.from_at") });
    if (form.until_day && (!DAY.test(form.until_day) || !TIME.test(form.until_time))) found.until_at = t("common.field_wrong", { field: t("field.until_at") });
    if (!form.reported_by.trim()) found.reported_by = t("common.field_wrong", { field: t("field.reported_by") });
    return found;
  };
  const save = async () => {
    const found = faults();
    if (Object.keys(found).length) { setWrong((old) => ({ faults: found, general: null, nonce: old.nonce + 1 })); return; }
    try {
      await post(`/api/residents/${card.id}/absences`, {
        kind: form.kind,
        from_at: untouched ? undefined : instant(form.from_day, form.from_time),
        until_at: form.until_day ? instant(form.until_day, form.until_time) : undefined,
        reported_by: form.reported_by.trim(),
        note: form.note.trim(),
      });
    } catch (error) {
      setWrong((old) => ({ ...faultsOf(error), nonce: old.nonce + 1 }));
      return;
    }
    store.tell(t("card.absence.saved", { name: card.name }));
    await done();
  };
  return html`<form data-edited data-test="absence-form" onSubmit=${(/** @type {Event} */ e) => e.preventDefault()}>
    <${Faults} ...${wrong} />
    <p class="hint">${t("card.absence.what", { name: card.given_name })}</p>
    <${Choice} id="a-kind" label=${t("card.absence.kind")} value=${form.kind} set=${set("kind")} options=${KINDS.map((one) => ({ value: one, text: t(`absence.kind.${one}`) }))} />
    <div class="pair"><${Text} id="from_at" label=${t("card.absence.from_day")} value=${form.from_day} set=${set("from_day")} max=${10} error=${wrong.faults.from_at} /><${Text} id="from_time" label=${t("card.absence.time")} value=${form.from_time} set=${set("from_time")} mode="numeric" max=${5} /></div>
    <div class="pair"><${Text} id="until_at" label=${t("card.absence.until_day")} hint=${t("card.absence.until_hint")} value=${form.until_day} set=${set("until_day")} max=${10} error=${wrong.faults.until_at} /><${Text} id="until_time" label=${t("card.absence.time")} value=${form.until_time} set=${set("until_time")} mode="numeric" max=${5} /></div>
    <${Text} id="reported_by" label=${t("card.absence.reported_by")} value=${form.reported_by} set=${set("reported_by")} max=${200} error=${wrong.faults.reported_by} />
    <${Text} id="a-note" label=${t("card.absence.note")} value=${form.note} set=${set("note")} lines=${2} max=${1000} />
    <div class="row"><${Btn} kind="btn go" test="absence-save" act=${save}>${t("common.save")}<//><${Btn} act=${close}>${t("common.cancel")}<//></div></form>`;
}
