// The two long forms: a new consent, and planning visits.
import { html, useEffect, useRef, useState } from "../lib/preact.js";
import { get, post } from "../core/api.js";
import { t } from "../core/i18n.js";
import { Faults, faultsOf } from "./faults.js";
import { Icon } from "./icons.js";
import * as store from "./store.js";
import { Btn, Choice, Loading, Radios, Text, useFetched, usePage } from "./ui.js";
import { isoDay, localMinute } from "./when.js";

/** @typedef {import("./people.js").Card} Card */
/** @typedef {{sentence: string, details: string, gate_open: boolean, waiting_for: string[], ask_again_on: string|null}} Preview */
/** @typedef {{[field: string]: string}} Wrong */

const DAY = /^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$/;
/** As the server names them (`stands_in`). */
const STAND_INS = ["guardian", "attorney", "relative"];
/** Without a policy nothing is allowed. @type {import("./people.js").Card["policies"][0]} */
const NO_POLICY = { purpose: "", parties: [], stand_ins: [], yes_comes_by: [], board: "" };
const TIME = /^([01]\d|2[0-3]):[0-5]\d$/;

/** @param {{id: string}} props */
export function ConsentPage({ id }) {
  const found = useFetched(() => store.withReason(id, () => get(`/api/residents/${id}`)), [id]);
  const card = /** @type {Card|null} */ (found.value);
  if (!card) return html`<main id="main"><h1 class="vh">${t("consent.title")}</h1><${Loading} error=${found.error} again=${found.again} /></main>`;
  return html`<${ConsentForm} key=${id} card=${card} />`;
}

/** @param {{card: Card}} props */
function ConsentForm({ card }) {
  const heading = usePage(t("consent.title"));
  const given = card.given_name;
  const colleagues = store.me.value ? [{ id: store.me.value.staff_id, name: store.me.value.name }, ...store.me.value.colleagues] : [];
  const [form, setForm] = useState({
    purpose: "video_visit", decision: "permit", party: "resident", given: "in_person", information_language: /** @type {string} */ (card.language),
    present: "", will_shown: "", ability: "", valid: "until_further", valid_until: "", from: "08:00", to: "21:00", answer_after_s: "20", emergency: "no",
  });
  const [callers, setCallers] = useState(/** @type {string[]} */ ([]));
  const [also, setAlso] = useState(/** @type {{[cohabitant: string]: string}} */ ({}));
  const [preview, setPreview] = useState(/** @type {Preview|null} */ (null));
  const [wrong, setWrong] = useState(/** @type {{faults: Wrong, general: string|null, nonce: number}} */ ({ faults: {}, general: null, nonce: 0 }));
  const turn = useRef(0);
  const auto = form.purpose === "auto_answer";
  const permit = form.decision === "permit";
  // What the municipality's policy of today refuses is shown, disabled, with the reason.
  const policy = card.policies.find((one) => one.purpose === form.purpose) || NO_POLICY;
  const standsIn = STAND_INS.includes(form.party);
  /** @param {string} who */
  const standIn = (who) => {
    const allowed = !permit || policy.stand_ins.includes(who);
    return { value: who, text: t(`consent.party.${who}`), small: allowed ? "" : t(`consent.party.${who}_why`, { name: given, board: policy.board }), disabled: !allowed };
  };
  /** @param {string} way */
  const comesBy = (way) => {
    const allowed = !permit || policy.yes_comes_by.includes(way);
    return { value: way, text: t(`consent.given.${way}`), small: allowed ? "" : t("consent.given.not_this_way"), disabled: !allowed };
  };
  const asked = policy.parties.includes("cohabitant") ? card.cohabitants : [];
  /** @param {string} field */
  const set = (field) => (/** @type {string} */ value) => setForm((old) => ({ ...old, [field]: value }));

  /** At night is another time of day. @param {string} purpose */
  const setPurpose = (purpose) => setForm((old) => ({ ...old, purpose, ...(purpose === "camera_check" ? { from: "22:00", to: "07:00" } : {}) }));
  const told = card.information[form.purpose];
  /** @param {string} party */
  const body = (party) => ({
    purpose: form.purpose,
    decision: form.decision,
    party: STAND_INS.includes(party) ? "resident" : party,
    stands_in: STAND_INS.includes(party) ? party : undefined,
    information_version: told ? told.version : 1,
    information_language: form.information_language,
    present: form.present.trim() || "–",
    will_shown: form.will_shown || "spoken",
    ability: form.ability || "clear",
    given: form.given,
    valid_until: form.valid === "date" && DAY.test(form.valid_until) ? form.valid_until : undefined,
    hours: TIME.test(form.from) && TIME.test(form.to) ? { from: form.from, to: form.to } : undefined,
    callers: auto && callers.length ? callers : undefined,
    answer_after_s: auto ? Number(form.answer_after_s) : undefined,
    emergency_allowed: permit && form.emergency === "yes",
  });

  // What she reads is written by the server, from the very values the gate will test.
  useEffect(() => {
    const mine = (turn.current || 0) + 1;
    turn.current = mine;
    const timer = setTimeout(async () => {
      try {
        const shown = await post(`/api/residents/${card.id}/consents/preview`, body(form.party));
        if (turn.current === mine) setPreview(shown);
      } catch (_) {
        if (turn.current === mine) setPreview(null);
      }
    }, 300);
    return () => clearTimeout(timer);
  }, [JSON.stringify(form), callers.join()]);

  const agreed = card.cohabitants.filter((one) => also[one.id] === "permit").map((one) => one.name);
  const waiting = preview && form.decision === "permit" && form.party === "resident" ? preview.waiting_for.filter((name) => !agreed.includes(name)) : [];

  const check = () => {
    /** @type {Wrong} */
    const faults = {};
    if (permit && standsIn && !policy.stand_ins.includes(form.party)) faults.party = t("consent.wrong.party");
    if (permit && !policy.yes_comes_by.includes(form.given)) faults.given = t("consent.wrong.given");
    if (!form.will_shown) faults.will_shown = t("consent.wrong.will_shown");
    if (!form.ability) faults.ability = t("consent.wrong.ability");
    if (!form.present.trim()) faults.present = t("consent.wrong.present");
    if (form.valid === "date" && (!DAY.test(form.valid_until) || form.valid_until <= isoDay(store.now.value))) faults.valid_until = t("consent.wrong.valid_until");
    if (!TIME.test(form.from)) faults.from = t("form.time_wrong");
    if (!TIME.test(form.to)) faults.to = t("form.time_wrong");
    if (auto && form.decision === "permit" && !callers.length) faults.callers = t("consent.wrong.callers");
    return faults;
  };
  const save = async () => {
    const faults = check();
    if (Object.keys(faults).length) { setWrong((old) => ({ faults, general: null, nonce: old.nonce + 1 })); return; }
    try {
      await post(`/api/residents/${card.id}/consents`, body(form.party));
      if (form.party === "resident" && permit) for (const one of asked) if (also[one.id] === "permit") await post(`/api/residents/${card.id}/consents`, body(one.id));
    } catch (error) {
      const { faults: found, general } = faultsOf(error);
      setWrong((old) => ({ faults: found, general, nonce: old.nonce + 1 }));
      return;
    }
    store.go(`people/${card.id}`);
    setTimeout(() => store.tell(t(waiting.length ? "consent.saved_waiting" : "consent.saved")), 50);
  };
  const faults = wrong.faults;
  const saveText = waiting.length ? t("consent.save_waiting", { name: waiting[0] }) : t("consent.save");

  return html`<main id="main"><a class="crumb" href=${`#/people/${card.id}`}><${Icon} name="back" />${card.name}</a><div class="top"><h1 tabindex="-1" ref=${heading}>${t("consent.title")}</h1><p>${card.name}</p></div>
    <${Faults} ...${wrong} />
    <div class="cols lead"><form class="form" data-edited data-test="consent-form" onSubmit=${(/** @type {Event} */ e) => e.preventDefault()}>
      <${Radios} legend=${t("consent.purpose")} name="purpose" columns="two" value=${form.purpose} set=${setPurpose} options=${["video_visit", "auto_answer", "camera_check"].map((one) => ({ value: one, text: t(`purpose.${one}`) }))} />
      <${Radios} legend=${t("consent.decision")} name="decision" columns="two" value=${form.decision} set=${set("decision")} options=${["permit", "deny"].map((one) => ({ value: one, text: t(`consent.decision.${one}`) }))} />
      <fieldset><legend>${t("consent.when")}</legend><div class="pair"><${Text} id="from" label=${t("consent.from")} value=${form.from} set=${set("from")} mode="numeric" error=${faults.from} /><${Text} id="to" label=${t("consent.to")} value=${form.to} set=${set("to")} mode="numeric" error=${faults.to} /></div></fieldset>
      <${Radios} legend=${t("consent.valid")} name="valid" columns="two" value=${form.valid} set=${set("valid")} options=${[{ value: "until_further", text: t("consent.until_further") }, { value: "date", text: t("consent.to_date") }]}>
        ${form.valid === "date" && html`<${Text} id="valid_until" label=${t("consent.valid_until")} hint=${t("form.day_hint")} value=${form.valid_until} set=${set("valid_until")} mode="numeric" placeholder="2027-03-31" error=${faults.valid_until} />`}<//>
      ${permit && html`<${Radios} legend=${t("consent.emergency")} hint=${t("consent.emergency_hint")} name="emergency" columns="two" value=${form.emergency} set=${set("emergency")} options=${["no", "yes"].map((one) => ({ value: one, text: t(`consent.emergency.${one}`) }))} />`}
      ${auto && html`<fieldset id="callers" tabindex="-1"><legend>${t("consent.callers")}</legend>${faults.callers && html`<p class="wrong"><${Icon} name="warn" />${faults.callers}</p>`}<div class="opts two">${colleagues.map((one) => html`<label class="opt" key=${one.id}><input type="checkbox" checked=${callers.includes(one.id)} onChange=${(/** @type {Event} */ e) => setCallers((old) => (/** @type {HTMLInputElement} */ (e.target).checked ? [...old, one.id] : old.filter((each) => each !== one.id)))} /><span class="b">${one.name}</span></label>`)}</div></fieldset>
        <${Choice} id="answer_after_s" label=${t("consent.answer_after")} value=${form.answer_after_s} set=${set("answer_after_s")} options=${["10", "20", "30", "45", "60"].map((one) => ({ value: one, text: t("common.seconds", { n: Number(one) }) }))} />`}
      <${Radios} legend=${t("consent.party")} name="party" error=${faults.party} value=${form.party} set=${set("party")} options=${[
        { value: "resident", text: t("consent.party.resident", { name: given }) },
        ...card.cohabitants.map((one) => ({ value: one.id, text: one.name, small: t("consent.party.cohabitant") })),
        ...STAND_INS.map(standIn),
      ]} />
      ${form.party === "resident" && permit && asked.map((one) => html`<${Radios} key=${one.id} legend=${t("consent.also", { name: one.name })} hint=${t("consent.also_hint")} name=${`also-${one.id}`} columns="two" value=${also[one.id] || "not_asked"} set=${(/** @type {string} */ value) => setAlso((old) => ({ ...old, [one.id]: value }))} options=${[{ value: "permit", text: t("consent.also.permit", { name: one.name }) }, { value: "not_asked", text: t("consent.also.not_asked") }]} />`)}
      ${waiting.length > 0 && html`<div class="stopbox" role="status" data-test="waiting"><b><${Icon} name="warn" />${t("consent.cannot_begin")}</b><p>${t("consent.stays_off", { name: waiting.join(", ") })}</p></div>`}
      <${Radios} legend=${t("consent.given")} name="given" columns="three" error=${faults.given} value=${form.given} set=${set("given")} options=${["in_person", "paper", "phone"].map(comesBy)} />
      <${Radios} legend=${t("consent.language", { name: given })} name="information_language" columns="three" value=${form.information_language} set=${set("information_language")} options=${["sv", "fi", "en"].map((one) => ({ value: one, text: t(`language.${one}`) }))}>${told && html`<p class="hint">${t("consent.told")}</p><blockquote class="note" lang=${form.information_language} data-test="told">${told.texts[form.information_language] || told.texts.sv}</blockquote>`}<//>
      <${Text} id="present" label=${t("consent.present")} hint=${t("consent.present_hint")} value=${form.present} set=${set("present")} error=${faults.present} />
      <${Radios} legend=${t("consent.will", { name: given })} name="will_shown" columns="two" value=${form.will_shown} set=${set("will_shown")} error=${faults.will_shown} options=${["spoken", "sign", "written", "other"].map((one) => ({ value: one, text: t(`consent.will.${one}`) }))} />
      <${Radios} legend=${t("consent.ability", { name: given })} name="ability" columns="two" value=${form.ability} set=${set("ability")} error=${faults.ability} options=${[{ value: "clear", text: t("consent.ability.clear") }, { value: "doubtful", text: t("consent.ability.doubtful"), small: t("consent.ability.doubtful_why") }]} />
      <div class="foot"><${Btn} kind="btn go" test="consent-save" act=${save}>${saveText}<//><a class="btn" href=${`#/people/${card.id}`}>${t("common.cancel")}</a></div></form>
    <aside aria-label=${t("consent.so")}><section class="panel"><h2>${t("consent.reads", { name: given })}</h2>
      ${preview ? html`<p class="quote" lang=${card.language} data-test="sentence">”${preview.sentence}”</p><p class="soft" lang=${card.language}>${preview.details}</p>` : html`<p class="soft">${t("consent.no_preview")}</p>`}</section>
      ${preview && preview.ask_again_on && html`<section class="panel"><h2>${t("consent.reminder")}</h2><p>${t("consent.ask_again", { day: preview.ask_again_on })}</p></section>`}</aside></div></main>`;
}

// --- plan visits ------------------------------------------------------------------------------

/** @param {{resident: string|null}} props */
export function PlanPage({ resident }) {
  const heading = usePage(t("plan.title"));
  const me = store.me.value;
  const insatser = me ? me.insatser : [];
  const soon = new Date(Math.ceil((store.now.peek() + 600000) / 900000) * 900000);
  const [who, setWho] = useState(resident || "");
  const [name, setName] = useState("");
  const [q, setQ] = useState("");
  const [form, setForm] = useState(() => ({
    insats_id: insatser.length ? insatser[0].id : "", day: isoDay(soon), time: localMinute(soon).slice(11), minutes: insatser.length ? String(insatser[0].minutes) : "10",
    staff_id: me ? me.staff_id : "", to_do: "", to_know: "", repeat: "none", until: "",
  }));
  const [days, setDays] = useState(/** @type {number[]} */ ([]));
  const [wrong, setWrong] = useState(/** @type {{faults: Wrong, general: string|null, nonce: number}} */ ({ faults: {}, general: null, nonce: 0 }));
  const people = useFetched(() => post("/api/residents/search", { q: q.trim().slice(0, 80) }), [q.trim()]);
  // Her name is known when she was found here; from her card it is read there.
  const card = useFetched(() => (who && !name ? store.withReason(who, () => get(`/api/residents/${who}`)) : Promise.resolve(null)), [who]);
  const choice = useFetched(() => (who ? get(`/api/residents/${who}/not-for`) : Promise.resolve({ not_to: [] })), [who]);
  // Whoever has stated a relation to her is not suggested.
  const notTo = choice.value ? /** @type {{not_to: string[]}} */ (choice.value).not_to : [];
  const staff = me ? me.colleagues.filter((one) => !notTo.includes(one.id)) : [];
  const to = staff.some((one) => one.id === form.staff_id) ? form.staff_id : "";
  /** @param {string} field */
  const set = (field) => (/** @type {string} */ value) => setForm((old) => ({ ...old, [field]: value }));
  /** @param {string} id */
  const setInsats = (id) => {
    const one = insatser.find((each) => each.id === id);
    setForm((old) => ({ ...old, insats_id: id, minutes: one ? String(one.minutes) : old.minutes }));
  };
  const save = async () => {
    /** @type {Wrong} */
    const faults = {};
    if (!who) faults.who = t("plan.wrong.who");
    if (!DAY.test(form.day)) faults.day = t("form.day_wrong");
    if (!TIME.test(form.time)) faults.time = t("form.time_wrong");
    if (!/^[1-9]\d{0,2}$/.test(form.minutes)) faults.minutes = t("plan.wrong.minutes");
    if (form.repeat !== "none" && (!DAY.test(form.until) || form.until < form.day)) faults.until = t("plan.wrong.until");
    if (form.repeat === "weekly" && !days.length) faults.weekdays = t("plan.wrong.weekdays");
    if (Object.keys(faults).length) { setWrong((old) => ({ faults, general: null, nonce: old.nonce + 1 })); return; }
    const repeat = form.repeat === "none" ? undefined : { rule: form.repeat, weekdays: form.repeat === "weekly" ? days : [], until: form.until };
    try {
      const made = await post("/api/visits", {
        resident_id: who, insats_id: form.insats_id, starts_at: `${form.day}T${form.time}`, minutes: Number(form.minutes),
        staff_id: to || undefined, unit_id: to || !me ? undefined : me.unit_id,
        to_do: form.to_do.split("\n").map((line) => line.trim()).filter(Boolean), to_know: form.to_know.trim() || undefined, repeat,
      });
      store.go("");
      setTimeout(() => store.tell(t("plan.saved", { n: made.ids.length })), 50);
    } catch (error) {
      const found = faultsOf(error);
      setWrong((old) => ({ ...found, nonce: old.nonce + 1 }));
    }
  };
  const faults = wrong.faults;
  const items = /** @type {Array<{id: string, name: string}>} */ (people.value ? people.value.items : []);
  return html`<main id="main"><a class="crumb" href="#/"><${Icon} name="back" />${t("today.title")}</a><div class="top"><h1 tabindex="-1" ref=${heading}>${t("plan.title")}</h1></div>
    <${Faults} ...${wrong} />
    <form class="form" data-edited data-test="plan-form" onSubmit=${(/** @type {Event} */ e) => e.preventDefault()}>
      ${who ? html`<fieldset><legend>${t("plan.who")}</legend><p class="chosen"><b data-test="plan-who">${name || (card.value ? card.value.name : card.error || t("common.loading"))}</b> <button type="button" class="btn small" onClick=${() => { setWho(""); setName(""); }}>${t("plan.other")}</button></p></fieldset>`
      : html`<fieldset id="who" tabindex="-1"><legend>${t("plan.who")}</legend>${faults.who && html`<p class="wrong"><${Icon} name="warn" />${faults.who}</p>`}<${Text} id="plan-q" label=${t("people.search")} value=${q} set=${setQ} />
        <ul class="results">${items.slice(0, 8).map((one) => html`<li key=${one.id}><button type="button" class="btn" data-test="plan-person" onClick=${() => { setName(one.name); setWho(one.id); }}>${one.name}</button></li>`)}</ul></fieldset>`}
      <div class="pair"><${Choice} id="insats" label=${t("plan.insats")} value=${form.insats_id} set=${setInsats} options=${insatser.map((one) => ({ value: one.id, text: one.name }))} />
        <${Text} id="minutes" label=${t("plan.minutes")} value=${form.minutes} set=${set("minutes")} mode="numeric" max=${3} error=${faults.minutes} />
        <${Text} id="day" label=${t("plan.day")} hint=${t("form.day_hint")} value=${form.day} set=${set("day")} mode="numeric" error=${faults.day} /><${Text} id="time" label=${t("plan.time")} hint=${t("form.time_hint")} value=${form.time} set=${set("time")} mode="numeric" error=${faults.time} /></div>
      <${Choice} id="staff" label=${t("plan.staff")} value=${to} set=${set("staff_id")} options=${[...staff.map((one) => ({ value: one.id, text: one.name })), { value: "", text: t("plan.anyone", { unit: me ? me.unit_name : "" }) }]} />
      <${Text} id="to_do" label=${t("call.to_do")} hint=${t("plan.to_do_hint")} value=${form.to_do} set=${set("to_do")} lines=${3} max=${1000} /><${Text} id="to_know" label=${t("call.to_know")} value=${form.to_know} set=${set("to_know")} lines=${2} />
      <${Radios} legend=${t("plan.repeat")} name="repeat" columns="three" value=${form.repeat} set=${set("repeat")} options=${["none", "daily", "weekly"].map((one) => ({ value: one, text: t(`plan.repeat.${one}`) }))}>
        ${form.repeat === "weekly" && html`<fieldset id="weekdays" tabindex="-1" class="weekdays"><legend class="small">${t("plan.weekdays")}</legend>${faults.weekdays && html`<p class="wrong"><${Icon} name="warn" />${faults.weekdays}</p>`}<div class="opts days">${[0, 1, 2, 3, 4, 5, 6].map((n) => html`<label class="opt" key=${n}><input type="checkbox" checked=${days.includes(n)} onChange=${(/** @type {Event} */ e) => setDays((old) => (/** @type {HTMLInputElement} */ (e.target).checked ? [...old, n].sort() : old.filter((one) => one !== n)))} /><span class="b">${t(`weekday.${n}`)}</span></label>`)}</div></fieldset>`}
        ${form.repeat !== "none" && html`<${Text} id="until" label=${t("plan.until")} hint=${t("form.day_hint")} value=${form.until} set=${set("until")} mode="numeric" placeholder="2026-12-31" error=${faults.until} />`}<//>
      <div class="foot"><${Btn} kind="btn go" test="plan-save" act=${save}>${t("plan.save")}<//><a class="btn" href="#/">${t("common.cancel")}</a></div></form></main>`;
}
