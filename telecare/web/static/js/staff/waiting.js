// Larm och samtal: all that waits, and what became of the last day's alarms.
import { html } from "../lib/preact.js";
import { get } from "../core/api.js";
import { clock, t } from "../core/i18n.js";
import { Icon } from "./icons.js";
import * as store from "./store.js";
import { Queued } from "./today.js";
import { Loading, NoticeBox, Tag, useFetched, usePage } from "./ui.js";
import { dayShort } from "./when.js";

/**
 * @typedef {object} Over
 * @property {string} id
 * @property {"closed"|"cancelled"|"tested"} state
 * @property {string} trigger
 * @property {string} device
 * @property {string} place
 * @property {string} resident_id
 * @property {string} resident_name
 * @property {string} pressed_at
 * @property {string|null} closed_at
 * @property {string|null} closed_by
 * @property {string|null} cause
 * @property {string|null} measure
 */

/** @param {{one: Over}} props */
function Row({ one }) {
  const about = [t(`alarm.trigger.${one.trigger}`), one.device, one.place].filter(Boolean).join(", ");
  const became = one.cause && one.measure ? `${t("alarm.cause")}: ${one.cause}. ${t("alarm.measure")}: ${one.measure}.` : "";
  return html`<li data-test="over" data-state=${one.state}><time datetime=${one.pressed_at}>${dayShort(one.pressed_at)} ${clock(one.pressed_at)}</time>
    <div><a class="name" href=${`#/alarm/${one.id}`}><b>${one.resident_name || t("protected.name")}</b></a> <${Tag} kind=${one.state === "closed" ? "ok" : "plain"}>${t(`recent.${one.state}`)}<//>
      <small>${about}. ${became} ${one.closed_at && t("recent.by", { name: one.closed_by || t("protected.name"), time: clock(one.closed_at) })}</small></div></li>`;
}

export function WaitingPage() {
  const heading = usePage(t("nav.waiting"));
  const open = store.alarms.value.map((row) => row.id).join();
  const found = useFetched(() => get("/api/alarms"), [open]);
  const items = /** @type {Over[]} */ (found.value ? found.value.items : []);
  return html`<main id="main" data-test="waiting-page"><div class="top"><h1 tabindex="-1" ref=${heading}>${t("nav.waiting")}</h1><p>${store.me.value ? store.me.value.unit_name : ""}</p></div><${NoticeBox} />
    <div class="waits"><section class="panel side"><h2>${t("queue.title")}</h2><${Queued} /></section>
    <section class="panel"><h2>${t("recent.title")}</h2>${!found.value ? html`<${Loading} error=${found.error} again=${found.again} />`
    : items.length ? html`<ul class="line">${items.map((one) => html`<${Row} key=${one.id} one=${one} />`)}</ul>` : html`<p class="soft"><${Icon} name="check" /> ${t("recent.none")}</p>`}</section></div></main>`;
}
