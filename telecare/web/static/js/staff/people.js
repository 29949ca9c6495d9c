// Find a person; her card with consents, devices and what has happened.
import { html, useEffect, useState } from "../lib/preact.js";
import { get, post } from "../core/api.js";
import { clock, firstOf, t } from "../core/i18n.js";
import { Absences } from "./absence.js";
import { Icon } from "./icons.js";
import { Part } from "./later.js";
import * as store from "./store.js";
import { Btn, Choice, initials, Loading, NoticeBox, Tag, Text, useFetched, usePage } from "./ui.js";
import { whenText } from "./when.js";

/** @typedef {import("../core/wire").VisitRow} VisitRow */
/** @typedef {{id: string, name: string, unit_name: string}} FoundPerson */
/**
 * @typedef {object} Consent
 * @property {string} id
 * @property {string} purpose
 * @property {string} party
 * @property {string} party_name
 * @property {"permit"|"deny"|"withdrawn"} decision
 * @property {string} sentence
 * @property {string} given
 * @property {string|null} valid_until
 * @property {string|null} ask_again_on
 * @property {boolean} active
 */
/**
 * @typedef {object} Card
 * @property {string} id
 * @property {string} name
 * @property {string} given_name
 * @property {"sv"|"fi"|"en"} language
 * @property {string} address
 * @property {boolean} is_protected
 * @property {number|null} age
 * @property {string} phone
 * @property {string} hearing
 * @property {number} priority
 * @property {Array<{name: string, what: string, phone: string, stands_for_her: boolean}>} contacts
 * @property {string[]} to_know
 * @property {boolean} can_call
 * @property {string|null} why_not
 * @property {VisitRow[]} today
 * @property {import("./absence.js").Absence[]} absences
 * @property {{id: string, reason: string, on_date: string, is_carried_out: boolean}|null} ending
 * @property {Consent[]} consents
 * @property {Array<{id: string, purpose: string, by: string, text: string, at: string}>} objections
 * @property {Array<{id: string, name: string, relation: string}>} cohabitants
 * @property {Array<{id: string, kind: string, state: string, heard_at: string|null}>} devices
 * @property {Array<{at: string, text_key: string, values: {[name: string]: string}}>} happened
 * @property {Array<{name: string, kind?: string}>} callers
 * @property {string|null} opened_until
 * @property {boolean} [can_take_over]
 * @property {{[purpose: string]: {version: number, texts: {[language: string]: string}}}} information
 * @property {Array<{purpose: string, parties: string[], stand_ins: string[], yes_comes_by: string[], board: string}>} policies
 */

/** @param {{letters: string}} props the letters of a TV that is to be paired */
export function PeoplePage({ letters }) {
  const heading = usePage(t(letters ? "pair.whose" : "people.title"));
  const [q, setQ] = useState("");
  const [asked, setAsked] = useState("");
  useEffect(() => {
    const timer = setTimeout(() => setAsked(q.trim()), 250);
    return () => clearTimeout(timer);
  }, [q]);
  const found = useFetched(() => post("/api/residents/search", { q: asked.slice(0, 80) }), [asked]);
  const [further, setFurther] = useState(/** @type {{of: unknown, items: FoundPerson[], next: string|null}|null} */ (null));
  const first = /** @type {{items: FoundPerson[], next: string|null}|null} */ (found.value);
  // Further pages belong to the first one they were asked after; a new search has none.
  const added = further && further.of === first ? further : null;
  const items = first ? first.items.concat(added ? added.items : []) : null;
  const next = added ? added.next : first && first.next;
  const more = async () => {
    const page = await post("/api/residents/search", { q: asked.slice(0, 80), after: next });
    setFurther({ of: first, items: (added ? added.items : []).concat(page.items), next: page.next });
  };
  return html`<main id="main"><div class="top"><h1 tabindex="-1" ref=${heading}>${t(letters ? "pair.whose" : "people.title")}</h1></div><${NoticeBox} />
    <form class="form" role="search" onSubmit=${(/** @type {Event} */ e) => e.preventDefault()}><${Text} id="q" label=${t("people.search")} value=${q} set=${setQ} /></form>
    ${!items && html`<${Loading} error=${found.error} again=${found.again} />`}
    <p class="vh" role="status">${items ? t("people.found", { n: items.length }) : ""}</p>
    ${items && !items.length && html`<p class="panel soft">${t("people.none")}</p>`}
    ${items && items.length > 0 && html`<ul class="visits people">${items.map((one) => html`<li class="v" key=${one.id} data-test="person"><span class="ava" aria-hidden="true">${initials(one.name)}</span><div><b><a class="name" href=${`#/people/${one.id}${letters ? `?letters=${encodeURIComponent(letters)}` : ""}`}>${one.name}</a></b><div class="what">${one.unit_name}</div></div></li>`)}</ul>`}
    ${next && html`<p class="soft">${t("people.more")}</p><p><${Btn} test="more-people" act=${more}>${t("people.show_more")}<//></p>`}</main>`;
}

/**
 * Cut first: the gate shuts at once. Who asked for it is said afterwards, in a row of its own.
 * @param {{consent: Consent, cut: (consent: Consent) => Promise<void>}} props
 */
function ConsentRow({ consent, cut }) {
  const yes = consent.active && consent.decision === "permit";
  return html`<li class=${yes ? "" : "no"} data-test="consent" data-purpose=${consent.purpose} data-active=${String(consent.active)}><${Icon} name=${yes ? "check" : "x"} />
    <div><b>${consent.sentence}</b><small>${consent.given}${yes && consent.ask_again_on ? ` ${t("consents.ask_again", { day: consent.ask_again_on })}` : ""}</small></div>
    ${yes ? html`<${Btn} kind="btn small" test="withdraw" label=${t("consents.take_back_name", { what: t(`purpose.${consent.purpose}`), name: consent.party_name })} act=${() => cut(consent)}>${t("consents.take_back")}<//>` : html`<span></span>`}</li>`;
}

/** @param {{card: Card, again: () => Promise<void>}} props */
function Consents({ card, again }) {
  const [taken, setTaken] = useState(/** @type {Consent|null} */ (null));
  /** @param {Consent} consent */
  const cut = async (consent) => {
    await post(`/api/consents/${consent.id}/withdraw`, { asked_by: "not_said" });
    setTaken(consent);
    await again();
  };
  /** @param {string} who */
  const said = async (who) => {
    if (taken) await post(`/api/consents/${taken.id}/withdraw`, { asked_by: who });
    setTaken(null);
    await again();
  };
  return html`<section class="panel"><div class="h"><h2>${t("card.consents")}</h2><a class="btn small" data-test="new-consent" href=${`#/people/${card.id}/consent`}>${t("card.new_consent")}</a></div>
    ${taken && html`<div class="stopbox who-asked" role="status" data-test="withdrawn"><b><${Icon} name="check" />${t("consents.withdrawn", { what: t(`purpose.${taken.purpose}`) })}</b><p id="who-asked">${t("consents.who_asked")}</p>
      <div class="row wrap" role="group" aria-labelledby="who-asked">${["resident", "cohabitant", "by_phone"].map((who) => html`<${Btn} key=${who} kind="btn small" test=${`asked-${who}`} act=${() => said(who)}>${t(`consents.asked.${who}`, { name: card.given_name })}<//>`)}<button type="button" class="btn small" data-test="asked-not_said" onClick=${() => setTaken(null)}>${t("consents.asked.not_said")}</button></div></div>`}
    ${card.consents.length ? html`<ul class="say">${card.consents.map((one) => html`<${ConsentRow} key=${one.id} consent=${one} cut=${cut} />`)}</ul>` : html`<p class="soft">${t("card.no_consents")}</p>`}
    ${card.objections.length > 0 && html`<h3 class="sub">${t("card.objections")}</h3><ul class="say">${card.objections.map((one) => html`<li key=${one.id} class="no" data-test="objection-row"><${Icon} name="warn" /><div><b>${t(`purpose.${one.purpose}`)}: ${one.text}</b><small>${t(`objection.by.${one.by}`)}, ${whenText(one.at, store.now.value)}</small></div></li>`)}</ul>`}
    <div class="add"><${Objection} card=${card} again=${again} /></div></section>`;
}

/** @param {{card: Card, again: () => unknown, shown: string}} props `shown`: what the TV shows, when it was scanned */
function Pairing({ card, again, shown }) {
  const [open, setOpen] = useState(Boolean(shown));
  const [letters, setLetters] = useState(shown);
  const [word, setWord] = useState("");
  const clean = letters.toUpperCase().replace(/[^A-Z]/g, "");
  const pair = async () => {
    setWord((await post(`/api/residents/${card.id}/pairings`, { letters: clean })).word);
    await again();
  };
  if (!open) return html`<button type="button" class="btn small" data-test="pair" onClick=${() => setOpen(true)}>${t("pair.title")}</button>`;
  if (word) return html`<div class="note" role="status" data-test="pair-word"><p>${t("pair.same_word")}</p><p class="word">${word}</p><p>${t("pair.if_not")}</p></div>`;
  return html`<form onSubmit=${(/** @type {Event} */ e) => e.preventDefault()}><${Text} id="letters" label=${t("pair.letters")} hint=${t("pair.hint")} value=${letters} set=${setLetters} max=${9} />
    <${Btn} kind="btn go" test="pair-send" disabled=${clean.length !== 6} act=${pair}>${t("pair.send")}<//></form>`;
}

/** @param {{card: Card, again: () => unknown}} props */
function Objection({ card, again }) {
  const [open, setOpen] = useState(false);
  const [purpose, setPurpose] = useState("video_visit");
  const [by, setBy] = useState("relative");
  const [name, setName] = useState("");
  const [text, setText] = useState("");
  const save = async () => {
    await post(`/api/residents/${card.id}/objections`, { purpose, by, name: name.trim() || undefined, text: text.trim() });
    setOpen(false);
    store.tell(t("objection.saved"));
    await again();
  };
  if (!open) return html`<button type="button" class="btn small" data-test="objection" onClick=${() => setOpen(true)}>${t("objection.new")}</button>`;
  return html`<form data-edited onSubmit=${(/** @type {Event} */ e) => e.preventDefault()}>
    <div class="pair"><${Choice} id="o-purpose" label=${t("objection.purpose")} value=${purpose} set=${setPurpose} options=${["video_visit", "auto_answer"].map((one) => ({ value: one, text: t(`purpose.${one}`) }))} />
    <${Choice} id="o-by" label=${t("objection.by")} value=${by} set=${setBy} options=${["relative", "guardian", "cohabitant", "staff"].map((one) => ({ value: one, text: t(`objection.by.${one}`) }))} /></div>
    <${Text} id="o-name" label=${t("objection.name")} value=${name} set=${setName} /><${Text} id="o-text" label=${t("objection.text")} value=${text} set=${setText} lines=${3} />
    <div class="row"><${Btn} kind="btn go" test="objection-save" disabled=${!text.trim()} act=${save}>${t("common.save")}<//><${Btn} act=${() => setOpen(false)}>${t("common.cancel")}<//></div></form>`;
}

/** @param {{id: string, letters: string}} props */
export function CardPage({ id, letters }) {
  const found = useFetched(() => store.withReason(id, () => get(`/api/residents/${id}`)), [id]);
  const card = /** @type {Card|null} */ (found.value);
  const takeOver = async () => {
    await store.withReason(id, () => post(`/api/residents/${id}/take-over`));
    await found.again();
  };
  if (found.code === "not_assigned") return html`<main id="main"><a class="crumb" href="#/people"><${Icon} name="back" />${t("people.title")}</a><div class="top"><h1>${t("card.closed")}</h1></div><${NoticeBox} />
    <div class="panel"><p>${t("card.closed_why")}</p><p><${Btn} kind="btn go" icon="people" test="take-over" act=${takeOver}>${t("card.take_over")}<//></p><p>${t("card.anyway_why")} <a class="more" data-test="anyway" href=${`#/people/${id}/anyway`}>${t("card.anyway")}</a></p></div></main>`;
  if (!card) return html`<main id="main"><a class="crumb" href="#/people"><${Icon} name="back" />${t("people.title")}</a><h1 class="vh">${t("people.title")}</h1><${Loading} error=${found.error} again=${found.again} /></main>`;
  return html`<${CardBody} key=${id} card=${card} again=${found.again} letters=${letters} />`;
}

/** @param {{card: Card, again: () => Promise<void>, letters: string}} props */
function CardBody({ card, again, letters }) {
  const heading = usePage(card.name);
  const at = store.now.value;
  const takeOver = async () => {
    await store.withReason(card.id, () => post(`/api/residents/${card.id}/take-over`));
    store.tell(t("card.taken_over", { name: card.name }));
    await again();
  };
  const closeNow = async () => {
    await post(`/api/residents/${card.id}/close-opened`);
    store.go("people");
    setTimeout(() => store.tell(t("card.closed_now")), 50);
  };
  const why = card.can_call ? null : firstOf([`error.${card.why_not}`, "card.cannot_call"]);
  /** @param {VisitRow} row */
  const tag = (row) => (row.state === "done" ? { kind: "ok", text: t("today.done") } : row.state === "planned" ? null : { kind: "info", text: row.state === "stepped" && row.step ? t(`step.${row.step}`) : t(`visit_state.${row.state}`) });
  return html`<main id="main"><a class="crumb" href="#/people"><${Icon} name="back" />${t("people.title")}</a><${NoticeBox} />
    <div class="person"><span class="ava" aria-hidden="true">${initials(card.name)}</span><div><h1 tabindex="-1" ref=${heading}>${card.name}</h1><p>${t(card.age === null ? "card.about_ageless" : "card.about", { age: card.age, language: t(`card.speaks.${card.language}`), address: card.address })}</p></div>
      <div class="act">${why ? html`<p class="why" id="why-not">${why}</p>` : null}<${Btn} kind="btn go" icon="video" test="ring" label=${t("today.ring_name", { name: card.name })} disabled=${!card.can_call || Boolean(store.call.value)} act=${() => store.ringResident(card.id)}>${t("today.ring")}<//>
      ${card.can_take_over && html`<${Btn} icon="people" test="take-over" act=${takeOver}>${t("card.take_over")}<//>`}</div></div>
    ${card.opened_until && html`<div class="strip" data-test="opened-until"><${Icon} name="unlock" /><b>${t("card.opened_until", { time: clock(card.opened_until) })}</b><${Btn} kind="btn" test="close-opened" act=${closeNow}>${t("card.close_now")}<//></div>`}
    ${card.ending && html`<p class="strip" role="note" data-test="ending"><${Icon} name="warn" />${t(card.ending.is_carried_out ? "card.ended" : "card.ends", { day: card.ending.on_date })}</p>`}
    <div class="cols mix"><div>
      <section class="panel"><div class="h"><h2>${t("card.today")}</h2>${store.mayPlan.value && html`<a class="more" data-test="plan" href=${`#/plan?resident=${card.id}`}>${t("today.plan")}</a>`}</div>
        ${card.today.length ? html`<ol class="line">${card.today.map((row) => { const mark = tag(row); return html`<li key=${row.id}><time datetime=${row.starts_at}>${clock(row.starts_at)}</time><div>${t("card.visit", { insats: row.insats, minutes: row.minutes })} ${mark && html`<${Tag} kind=${mark.kind}>${mark.text}<//>`}<small>${row.staff_name || t("card.no_staff")}</small></div></li>`; })}</ol>` : html`<p class="soft">${t("card.nothing_today")}</p>`}</section>
      <${Absences} card=${card} again=${again} />
      <${Consents} card=${card} again=${again} />
      <section class="panel"><h2>${t("card.happened")}</h2>
        ${card.happened.length ? html`<ol class="line">${card.happened.map((one, i) => html`<li key=${i}><time datetime=${one.at}>${whenText(one.at, at)}</time><div>${firstOf([one.text_key, "card.happened.other"], one.values)}</div></li>`)}</ol>` : html`<p class="soft">${t("card.nothing_happened")}</p>`}</section>
      <${Part} from="notes" name="Notes" given=${{ id: card.id, name: card.given_name, changed: again }} /></div>
    <div>${card.to_know.length > 0 && html`<section class="note"><h2>${t("call.to_know")}</h2><ul>${card.to_know.map((one) => html`<li key=${one}>${one}</li>`)}</ul></section>`}
      <section class="panel"><h2>${t("card.reach")}</h2><dl class="kv">${card.phone && html`<dt>${t("card.phone")}</dt><dd>${card.phone}</dd>`}${card.hearing !== "good" && html`<dt>${t("card.hearing")}</dt><dd>${t(`hearing.${card.hearing}`)}</dd>`}<dt>${t("card.priority")}</dt><dd>${t(`priority.${card.priority}`)}</dd><dt>${t("card.address")}</dt><dd>${card.address || (card.is_protected ? t("card.address_protected") : "")}</dd></dl></section>
      ${card.contacts.length > 0 && html`<section class="panel"><h2>${t("card.contacts")}</h2><ul class="line">${card.contacts.map((one) => html`<li key=${one.phone + one.name} data-test="contact"><b>${one.phone}</b><span>${one.name}<small>${one.stands_for_her ? t(`representative.${one.what}`) : one.what}</small></span></li>`)}</ul></section>`}
      ${card.cohabitants.length > 0 && html`<section class="panel"><h2>${t("card.lives_here")}</h2><ul class="have">${card.cohabitants.map((one) => html`<li key=${one.id}><${Icon} name="person" /><div>${one.name}, ${one.relation}</div></li>`)}</ul></section>`}
      <section class="panel"><h2>${t("card.devices")}</h2>${card.devices.length > 0 && html`<ul class="have">${card.devices.map((one) => html`<li key=${one.id} data-test="device"><${Icon} name=${one.kind === "tv" ? "video" : "home"} /><div>${firstOf([`device.${one.kind}`, "device.other"])} <${Tag} kind=${one.state === "here" ? "ok" : "warn"}>${firstOf([`device_state.${one.state}`, "device_state.silent"])}<//>${one.heard_at && html`<small>${t("card.heard", { time: whenText(one.heard_at, at) })}</small>`}</div></li>`)}</ul>`}
        <div class="add"><${Pairing} card=${card} again=${again} shown=${letters} /></div></section>
      ${card.callers.length > 0 && html`<section class="panel"><h2>${t("card.callers")}</h2><ul class="have">${card.callers.map((one) => html`<li key=${one.name}><${Icon} name="people" /><div>${one.name}<small>${firstOf([`caller.${one.kind}`, "caller.staff"])}</small></div></li>`)}</ul></section>`}</div></div></main>`;
}

/** For the unit's head: who took over whom. */
export function TakenOverPage() {
  const heading = usePage(t("taken_over.title"));
  const found = useFetched(() => get("/api/taken-over"), []);
  const items = /** @type {Array<{id: string, at: string, staff_name: string, resident_id: string, resident_name: string, kind: string|null, reason: string|null}>|null} */ (found.value ? found.value.items : null);
  const at = store.now.value;
  return html`<main id="main"><div class="top"><h1 tabindex="-1" ref=${heading}>${t("taken_over.title")}</h1><p>${t("taken_over.lead")}</p></div><${NoticeBox} />
    ${!items && html`<${Loading} error=${found.error} again=${found.again} />`}
    ${items && !items.length && html`<p class="panel soft">${t("taken_over.nobody")}</p>`}
    ${items && items.length > 0 && html`<section class="panel"><ol class="line">${items.map((one) => html`<li key=${one.id} data-test="taken-over"><time datetime=${one.at}>${whenText(one.at, at)}</time><div>${one.kind ? t("taken_over.opened", { staff: one.staff_name, name: one.resident_name, kind: t(`anyway.kind.${one.kind}`), reason: one.reason || "" }) : t("taken_over.line", { staff: one.staff_name, name: one.resident_name })}</div></li>`)}</ol></section>`}</main>`;
}
