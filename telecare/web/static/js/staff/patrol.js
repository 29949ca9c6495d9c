// The night patrol's page: whom to drive to and why, the most urgent first; on the way, there, done (screens: night-patrol).
import { effect, html, signal, useEffect, useState } from "../lib/preact.js";
import { PATHS } from "../core/icons.js";
import { ApiError, get } from "../core/api.js";
import { bootValues, clock, t } from "../core/i18n.js";
import { Outcome } from "./closing.js";
import { Declare, Lasts, Later, Ring } from "./disturbance.js";
import * as drive from "./drive.js";
import { Icon } from "./icons.js";
import { keep, ready, things } from "./kept.js";
import { useMission } from "./mission.js";
import { watchNights } from "./nights.js";
import { Notes, Without } from "./offline.js";
import * as store from "./store.js";
import { Btn, Choice, Loading, NoticeBox, usePage } from "./ui.js";

/**
 * @typedef {object} Job
 * @property {string} id
 * @property {"asked"|"accepted"|"arrived"} state
 * @property {"check"|"alarm"|"visit"} about
 * @property {string[]} why
 * @property {number} urgency
 * @property {string} asked_at
 * @property {string} be_there_by
 * @property {string} resident_id
 * @property {string} resident_name
 * @property {string} address
 * @property {string} to_know
 * @property {string} unit_name
 * @property {string|null} accepted_by
 * @property {boolean} is_mine
 */
/** @typedef {{id: string, at: string, resident_name: string, outcome: string, minutes: number|null}} Finished */
/** @typedef {import("./disturbance.js").Disturbance} Disturbance */
/** @typedef {{unit_name: string, unit_phone: string, jobs: Job[], done: Finished[], may_declare: boolean, disturbance: Disturbance|null, to_ring: import("./disturbance.js").ToRing[], coming: import("./disturbance.js").Coming[]}} Tonight */

Object.assign(PATHS, {
  pin: "M12 21s7-6.500 7-11.500a7 7 0 0 0-14 0C5 14.500 12 21 12 21zM12 12a2.500 2.500 0 1 0 0-5 2.500 2.500 0 0 0 0 5z",
  key: "M8 20a5 5 0 1 0 0-10 5 5 0 0 0 0 10zM11.500 11.500L20 3M16 7l3 3M14 9l2 2",
  car: "M4 16v-4l2-5.500h12L20 12v4M3 12h18M4 16h16v2.500h-3V16M7 16v2.500H4M7.500 14h.01M16.500 14h.01",
});

const sheet = document.createElement("link");
sheet.rel = "stylesheet";
sheet.href = `${bootValues().static}/css/patrol.css`;
document.head.append(sheet);

/** @type {import("../lib/preact.js").Signal<Tonight|null>} */
const tonight = signal(null);
/** When that was. */
const at = signal("");

async function refresh() {
  try {
    tonight.value = await get("/api/patrol");
    at.value = new Date(store.live.now()).toISOString();
    keep({ patrol: { at: at.value, list: /** @type {Tonight} */ (tonight.value) } });
  } catch (error) {
    await ready;
    const kept = things.value.patrol;
    if (!(error instanceof ApiError) || error.status !== 0 || !kept) throw error;
    if (!tonight.value) { tonight.value = kept.list; at.value = kept.at; }
  }
}
effect(() => { if (store.locked.value) tonight.value = null; });

/** While the page is shown. @returns {() => void} */
function watch() {
  refresh().catch(store.complain);
  return watchNights(refresh);
}

/** The phone's own map: the address goes to no server of ours, and no name goes with it. @param {{address: string}} props */
const Where = ({ address }) => html`<li><${Icon} name="pin" /><span>${address}</span><a href=${`geo:0,0?q=${encodeURIComponent(address)}`} rel="noreferrer" aria-label=${t("patrol.map_to", { address })}>${t("patrol.map")}</a></li>`;

/** What only she who goes there is shown. @param {{job: Job}} props */
function Mine({ job }) {
  const found = useMission(job.id, job.resident_name);
  const [closing, setClosing] = useState(false);
  const one = found.mission;
  const name = job.resident_name || t("protected.name");
  const said = drive.noted(job.id).map((note) => note.what);
  const there = job.state === "arrived" || said.includes("arrive");
  const notes = one ? [job.to_know, ...one.to_know].filter(Boolean) : [];
  return html`${one ? html`<ul class="facts" data-test="mission"><${Where} address=${one.address} />
      <li><${Icon} name="key" /><span>${one.key_note || t("dispatch.no_key")}</span></li>
      ${one.phone && html`<li><${Icon} name="phone" /><span>${one.phone}</span><a href=${`tel:${one.phone.replace(/[^+\d]/g, "")}`} aria-label=${t("patrol.ring_name", { name: job.resident_name || t("protected.name") })}>${t("patrol.ring")}</a></li>`}
      ${notes.map((note) => html`<li key=${note}><${Icon} name="note" /><span>${note}</span></li>`)}</ul>` : html`<${Loading} error=${found.error} again=${found.again} />`}
    ${said.includes("close") ? null : closing ? html`<${Outcome} id=${job.id} name=${name} />` : html`<div class="row2"><${Btn} kind=${there ? "" : "go"} icon="home" test="patrol-arrive" disabled=${there} act=${() => drive.arrive(job.id, name)}>${t("dispatch.arrive")}<//>
      <${Btn} kind=${there ? "go" : ""} icon="check" test="patrol-done" disabled=${!there} act=${() => setClosing(true)}>${t("dispatch.done_button")}<//></div>`}`;
}

/** @param {{job: Job}} props */
function Waiting({ job }) {
  const [within, setWithin] = useState("30");
  return html`<ul class="facts">${job.address ? html`<${Where} address=${job.address} />` : html`<li><${Icon} name="pin" /><span>${t("patrol.address_later")}</span></li>`}
      <li><${Icon} name="key" /><span>${t("patrol.key_later")}</span></li></ul>
    <div class="row2"><${Choice} id=${`within-${job.id}`} label=${t("dispatch.within")} value=${within} set=${setWithin} options=${drive.WITHIN.map((n) => ({ value: String(n), text: t("dispatch.minutes", { n }) }))} />
      <${Btn} kind="" icon="car" test="patrol-accept" label=${t("patrol.accept_name", { name: job.resident_name || t("protected.name") })} act=${() => store.withReason(job.resident_id, () => drive.accept(job.id, Number(within)))}>${t("dispatch.accept")}<//></div>`;
}

/** @param {{job: Job}} props */
function Card({ job }) {
  const late = Date.parse(job.be_there_by) < store.now.value && job.state !== "arrived";
  return html`<li class=${`job ${job.is_mine ? "now" : ""}`} data-test="job" data-state=${job.state} data-about=${job.about}>
    <p class="top">${job.state === "asked" ? html`<span>${t("patrol.since", { time: clock(job.asked_at) })}</span>` : html`<b>${t(`dispatch.${job.state}`)}</b>${!job.is_mine && html`<span>${job.accepted_by || t("protected.name")}</span>`}`}
      ${job.state !== "arrived" && html`<span class=${late ? "push late" : "push"}>${t(late ? "patrol.was_due" : "patrol.by", { time: clock(job.be_there_by) })}</span>`}</p>
    <h2>${job.resident_name || t("protected.name")}</h2><p class="why">${job.why.map((key) => t(key)).join(" ")}${job.unit_name ? ` ${job.unit_name}.` : ""}</p>
    ${job.is_mine ? html`<${Mine} job=${job} />` : job.state === "asked" ? html`<${Waiting} job=${job} />` : null}</li>`;
}

/** @param {{one: Finished}} props */
const Done = ({ one }) => html`<li class="done" data-test="patrol-finished"><time datetime=${one.at}>${clock(one.at)}</time><span><b>${one.resident_name || t("protected.name")}</b>, ${one.outcome}${one.minutes === null ? "" : `, ${t("dispatch.minutes", { n: one.minutes })}`}</span></li>`;

export function PatrolPage() {
  const heading = usePage(t("patrol.title"));
  useEffect(watch, []);
  const found = tonight.value;
  const me = store.me.value;
  const phone = found && found.unit_phone;
  return html`<main id="main" class="patrol" data-test="patrol"><header><h1 tabindex="-1" ref=${heading}>${t("patrol.title")}</h1><p>${[me && me.name, found && found.unit_name].filter(Boolean).join(", ")}</p><a href="#/">${t("common.to_today")}</a></header><${NoticeBox} />${found && html`<${Without} at=${at.value} />`}<${Notes} />
    ${!found && html`<${Loading} error=${null} again=${refresh} />`}
    ${found && found.disturbance && html`<${Lasts} one=${found.disturbance} may=${found.may_declare} done=${refresh} />`}
    ${found && found.to_ring.length > 0 && html`<ul aria-label=${t("disturbance.to_ring")}>${found.to_ring.filter((one) => !drive.noted(one.id).length).map((one) => html`<${Ring} key=${one.id} one=${one} said=${refresh} />`)}</ul>`}
    ${found && !found.jobs.length && !found.to_ring.length && html`<p class="none" role="status" data-test="patrol-none">${t("patrol.none")}</p>`}
    ${found && html`<ul aria-label=${t("patrol.list")}>${found.jobs.map((job) => html`<${Card} key=${job.id} job=${job} />`)}</ul>`}
    ${found && found.coming.length > 0 && html`<${Later} list=${found.coming} />`}
    ${found && found.done.length > 0 && html`<h2 class="part">${t("patrol.done")}</h2><ul>${found.done.map((one) => html`<${Done} key=${one.id} one=${one} />`)}</ul>`}
    ${phone && html`<a class="wide2" data-test="ring-night" href=${`tel:${phone.replace(/[^+\d]/g, "")}`}><${Icon} name="phone" />${t("patrol.ring_night")}</a>`}
    ${found && found.may_declare && !found.disturbance && html`<${Declare} done=${refresh} />`}</main>`;
}

/** From the day's list, for those whose shift it is to drive. */
export function Way() {
  const waiting = Array.from(store.rows.value.values()).filter((row) => row.row === "dispatch" && row.state === "asked").length;
  return html`<p><a class="btn" data-test="to-patrol" href="#/patrol">${waiting ? t("patrol.way", { n: waiting }) : t("patrol.title")}</a></p>`;
}
