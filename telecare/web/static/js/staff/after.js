// After a visit's call: its outcome, or what happens next.
import { html, useEffect, useRef, useState } from "../lib/preact.js";
import { get, post } from "../core/api.js";
import { clock, t } from "../core/i18n.js";
import { Icon } from "./icons.js";
import * as store from "./store.js";
import { Steps } from "./steps.js";
import { Btn, NoticeBox, useFetched, usePage } from "./ui.js";

/** @typedef {import("../core/wire").CallFrame} CallFrame */
/** @typedef {import("./call.js").VisitPage} VisitPage */

const OUTCOMES = [["all_well", "check"], ["ring_again", "phone"], ["needs_visit", "go"], ["follow_up", "eye"], ["technical_fault", "tool"]];

/** @param {{id: string}} props */
export function AfterPage({ id }) {
  const visit = store.visitOf(id);
  const last = store.last.value && store.last.value.visit_id === id ? store.last.value : null;
  const name = visit ? visit.resident_name : last ? last.resident_name : "";
  const talked = visit ? visit.state === "unfinished" : Boolean(last && last.opened_at);
  const failed = visit ? visit.state === "needs_step" : Boolean(last && !last.opened_at);
  if (!name) return html`<${Gone} />`;
  if (failed && visit) return html`<${Unanswered} name=${name} id=${id} last=${last} />`;
  if (!talked && !failed) return html`<${Gone} />`;
  return html`<${Outcome} key=${id} name=${name} id=${id} last=${last} />`;
}

function Gone() {
  const heading = usePage(t("after.gone"));
  return html`<main id="main" class="after"><h1 tabindex="-1" ref=${heading}>${t("after.gone")}</h1><p><a class="btn" href="#/">${t("common.to_today")}</a></p></main>`;
}

/** @param {{id: string}} props */
function Then({ id }) {
  const next = store.nextVisit(id);
  return next && html`<span>${t("after.then")} <b>${clock(next.starts_at)} ${next.resident_name}</b>${next.resident_language !== "sv" ? `, ${t(`after.speaks.${next.resident_language}`)}` : ""}</span>`;
}

/** @param {{id: string, name: string, last: CallFrame|null}} props */
function Outcome({ id, name, last }) {
  const heading = usePage(t("after.title", { name }));
  const [note, setNote] = useState("");
  const page = useFetched(() => get(`/api/visits/${id}`), [id]);
  const about = /** @type {VisitPage|null} */ (page.value);
  const done = store.ticked.value[id] || [];
  const given = last ? last.resident_given_name : name;
  const saving = useRef(false);
  /** @param {string} outcome */
  const save = async (outcome) => {
    if (saving.current) return;
    saving.current = true;
    try {
      await post(`/api/visits/${id}/outcome`, { outcome, note: note.trim() || undefined, done: done.length ? done : undefined });
      store.go("");
      setTimeout(() => store.tell(t("after.saved", { name, outcome: t(`outcome.${outcome}`) })), 50);
    } finally { saving.current = false; }
  };
  useEffect(() => {
    /** @param {KeyboardEvent} e */
    const key = (e) => {
      const inField = e.target instanceof HTMLInputElement || e.target instanceof HTMLTextAreaElement;
      const at = "12345".indexOf(e.key);
      if (inField || at < 0 || e.ctrlKey || e.altKey || e.metaKey || e.repeat) return;
      save(OUTCOMES[at][0]).catch(store.complain);
    };
    addEventListener("keydown", key);
    return () => removeEventListener("keydown", key);
  });
  const facts = [];
  if (last && last.opened_at && last.ended_at) facts.push(t("after.lasted", { minutes: Math.floor((Date.parse(last.ended_at) - Date.parse(last.opened_at)) / 60000), seconds: Math.floor(((Date.parse(last.ended_at) - Date.parse(last.opened_at)) / 1000) % 60) }));
  if (about && about.to_do.length) facts.push(t("after.ticked", { done: done.length + about.to_do.filter((one) => one.done).length, all: about.to_do.length }));
  if (last && last.end_reason && last.end_reason.indexOf("hung_up") < 0) facts.push(store.endText({ ...last, opened_at: null }));
  facts.push(t("after.camera_off"));
  return html`<main id="main" class="after"><h1 tabindex="-1" ref=${heading}>${t("after.title", { name })}</h1><p class="sum">${facts.join(" ")}</p><${NoticeBox} />
    <div class="write"><label for="n">${t("after.note", { name: given })}</label><input id="n" data-test="note" value=${note} maxlength="500" autocomplete="off" onInput=${(/** @type {Event} */ e) => setNote(/** @type {HTMLInputElement} */ (e.target).value)} /></div>
    <div class="five" role="group" aria-label=${t("after.how")}>${OUTCOMES.map(([outcome, icon], i) => html`<button type="button" key=${outcome} class=${i === 0 ? "main" : ""} data-test=${`outcome-${outcome}`} onClick=${() => save(outcome).catch(store.complain)}><${Icon} name=${icon} /><span>${t(`outcome.${outcome}`)}</span><kbd aria-hidden="true">${i + 1}</kbd></button>`)}</div>
    <div class="next"><${Then} id=${id} /><${Btn} kind="linkb push" test="ring-again" act=${() => store.ringVisit(id)}>${t("after.ring_again", { name: given })}<//></div></main>`;
}

/** @param {{id: string, name: string, last: CallFrame|null}} props */
function Unanswered({ id, name, last }) {
  const row = store.visitOf(id);
  const reason = last && last.end_reason ? last.end_reason : "no_answer";
  const title = t(reason === "declined" ? "unanswered.declined" : "unanswered.title", { name });
  const heading = usePage(title);
  return html`<main id="main" class="after"><h1 tabindex="-1" ref=${heading}>${title}</h1>
    <p class="sum">${row && row.screen !== "here" ? `${t(`screen.${row.screen}`)}. ` : ""}${t("unanswered.what_now")}</p><${NoticeBox} />
    ${row && html`<${Steps} row=${row} />`}<div class="next"><${Then} id=${id} /><a class="linkb push" href="#/">${t("common.to_today")}</a></div></main>`;
}
