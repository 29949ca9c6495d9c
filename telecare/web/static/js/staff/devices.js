// Enheter: every home's devices. What must be seen to stands first.
import { html, useState } from "../lib/preact.js";
import { get, post } from "../core/api.js";
import { bootValues, clock, t } from "../core/i18n.js";
import { Icon } from "./icons.js";
import * as store from "./store.js";
import { Btn, Loading, Tag, useFetched, usePage } from "./ui.js";
import { dayShort } from "./when.js";

/**
 * @typedef {object} Device
 * @property {string} id
 * @property {"tv"|"unit"|"alarm_unit"} kind
 * @property {string} label
 * @property {string} resident_id
 * @property {string} resident_name
 * @property {string} address
 * @property {string} unit_name
 * @property {"silent"|"fault"|"battery"|"test"|"nothing"} need
 * @property {boolean|null} here null: nobody knows how often it says something
 * @property {string|null} seen_at
 * @property {boolean|null} mains
 * @property {number|null} battery_percent
 * @property {string|null} path
 * @property {Array<{device: string, percent: number}>} weak
 * @property {string[]} troubles
 * @property {string|null} tested_at
 * @property {string|null} alarmed_at
 * @property {number|null} longest_silence_s
 * @property {boolean} asked
 */

const sheet = document.createElement("link");
sheet.rel = "stylesheet";
sheet.href = `${bootValues().static}/css/devices.css`;
document.head.append(sheet);

const LOW = 20;
const NEEDS = ["silent", "fault", "battery", "test"];
const WARNS = ["warn", "warn"], FINE = ["ok", "check"], NEUTRAL = ["", "clock"];

/** "41 sekunder", "14 minuter", "3 timmar" @param {number} s */
const long = (s) => (s < 120 ? t("devices.seconds", { n: s }) : s < 7200 ? t("devices.minutes", { n: Math.floor(s / 60) }) : t("devices.hours", { n: Math.floor(s / 3600) }));
/** @param {string} at */
const day = (at) => `${dayShort(at)} ${clock(at)}`;

/** When it was heard. @param {Device} device */
function heard(device) {
  if (device.need === "silent") return device.seen_at ? t("devices.since", { when: day(device.seen_at) }) : t("devices.never");
  if (device.kind !== "alarm_unit") return t(device.here ? "devices.heard" : "devices.put_out");
  const last = device.seen_at ? t("devices.last_heard", { when: day(device.seen_at) }) : t("devices.never");
  return device.here === null ? `${last} ${t("devices.nobody_knows")}` : last;
}

/** How its state is called when it needs nothing. @param {Device} device */
function calm(device) {
  if (device.here === null) return "unknown";
  if (!device.here) return "away";
  return device.kind === "alarm_unit" ? "regular" : "here";
}

/** @param {{device: Device}} props */
function State({ device }) {
  const lines = [heard(device)];
  if (device.mains === false) lines.push(t("devices.on_battery"));
  if (device.path === "second") lines.push(t("devices.second_path"));
  for (const kind of ["unit_line", "unit_cover", "unit_fault"]) if (device.troubles.includes(kind)) lines.push(t(`devices.trouble.${kind}`));
  const [kind, icon] = device.need !== "nothing" ? WARNS : device.here ? FINE : NEUTRAL;
  return html`<${Tag} kind=${kind}><${Icon} name=${icon} />${t(`devices.state.${device.need === "nothing" ? calm(device) : device.need}`)}<//><div class="soft">${lines.join(" ")}</div>`;
}

/** @param {{name: string, percent: number}} props */
const Level = ({ name, percent }) => html`<span class="level"><svg class=${`bar ${percent <= LOW ? "low" : ""}`} viewBox="0 0 54 12" aria-hidden="true"><rect x="2" y="2" width=${percent / 2} height="8" /></svg>${name ? `${name} ` : ""}${percent} %</span>`;

/** @param {{device: Device}} props */
function Battery({ device }) {
  if (device.troubles.includes("unit_battery")) return t("devices.battery_low");
  if (device.battery_percent === null && !device.weak.length) return html`<span class="soft">${t(device.mains === true ? "devices.mains" : "devices.unknown")}</span>`;
  return html`${device.battery_percent !== null && html`<${Level} name="" percent=${device.battery_percent} />`}${device.weak.map((one) => html`<${Level} key=${one.device} name=${one.device} percent=${one.percent} />`)}`;
}

/** @param {{device: Device}} props */
function Tried({ device }) {
  if (device.kind === "tv") return null;
  const [test, alarm] = [device.tested_at, device.alarmed_at];
  const last = test && (!alarm || test > alarm) ? test : alarm;
  return last ? html`${dayShort(last)}<div class="soft">${t(last === test ? "devices.test_passed" : "devices.real_alarm")}</div>` : html`<span class="soft">${t("devices.not_tried")}</span>`;
}

/** @param {{device: Device}} props */
function Silence({ device }) {
  const silence = device.longest_silence_s;
  if (silence === null) return device.here === null ? html`<span class="soft">${t("devices.unknown")}</span>` : t("devices.no_silence");
  return device.need === "silent" ? `${long(silence)}, ${t("devices.goes_on")}` : long(silence);
}

/** @param {{device: Device, asked: () => void}} props */
function Row({ device, asked }) {
  const name = device.resident_name || t("protected.name");
  const kind = t(`devices.kind.${device.kind}`);
  const what = [device.kind === "alarm_unit" ? `${kind} ${device.label}` : device.label || kind, device.address].filter(Boolean).join(", ");
  return html`<tr data-test="device" data-need=${device.need} class=${device.need === "silent" ? "first" : ""}>
    <th scope="row"><a class="name" href=${`#/people/${device.resident_id}`}>${name}</a><div class="soft">${what}</div></th>
    <td data-label=${t("devices.col.state")}><${State} device=${device} /></td><td data-label=${t("devices.col.battery")}><${Battery} device=${device} /></td>
    <td data-label=${t("devices.col.test")}><${Tried} device=${device} /></td><td data-label=${t("devices.col.silence")}><${Silence} device=${device} /></td>
    <td>${device.asked ? html`<span class="soft">${t("devices.asked")}</span>` : device.need !== "nothing" && html`<${Btn} kind="btn small" test="ask-for" label=${t("devices.ask_name", { what: t(`devices.ask.${device.need}`), name })} act=${() => post(`/api/devices/${device.id}/ask-for`).then(asked)}>${t(`devices.ask.${device.need}`)}<//>`}</td></tr>`;
}

export function DevicesPage() {
  const heading = usePage(t("nav.devices"));
  const [filter, setFilter] = useState("all");
  const [changed, setChanged] = useState(0);
  // Presence changes by time alone: looked at again each quarter of a minute.
  const found = useFetched(() => get("/api/devices"), [changed, Math.floor(store.now.value / 15000)]);
  const list = /** @type {Device[]|null} */ (found.value && found.value.items);
  const title = html`<div class="top"><h1 tabindex="-1" ref=${heading}>${t("nav.devices")}</h1><p>${store.me.value ? store.me.value.unit_name : ""}. ${t("devices.about")}</p></div>`;
  if (!list) return html`<main id="main">${title}<${Loading} error=${found.error} again=${found.again} /></main>`;
  const homes = new Set(list.map((one) => one.resident_id)).size;
  const of = (/** @type {string} */ need) => list.filter((one) => one.need === need).length;
  const todo = list.filter((one) => one.need !== "nothing");
  const shown = filter === "todo" ? todo : filter === "all" ? list : list.filter((one) => one.kind === filter);
  const filters = [["all", list.length], ["todo", todo.length], ["unit", 0], ["alarm_unit", 0], ["tv", 0]];
  return html`<main id="main" data-test="devices-page">${title}
    <ul class="figures"><li><b>${list.length}</b>${t("devices.in_homes", { n: homes })}</li>${NEEDS.filter((need) => need !== "fault" || of(need)).map((need) => html`<li key=${need} class=${of(need) ? "some" : ""} data-test=${`figure-${need}`}><b>${of(need)}</b>${t(`devices.figure.${need}`)}</li>`)}</ul>
    <div class="filters" role="group" aria-label=${t("today.show")}>${filters.map(([one, n]) => html`<button type="button" key=${one} data-test=${`filter-${one}`} aria-pressed=${String(filter === one)} onClick=${() => setFilter(String(one))}>${t(`devices.filter.${one}`)}${n ? ` ${n}` : ""}</button>`)}</div>
    ${shown.length ? html`<div class="panel table"><table><thead><tr>${["home", "state", "battery", "test", "silence"].map((one) => html`<th scope="col" key=${one}>${t(`devices.col.${one}`)}</th>`)}<td></td></tr></thead><tbody>${shown.map((one) => html`<${Row} key=${one.id} device=${one} asked=${() => setChanged(changed + 1)} />`)}</tbody></table></div>` : html`<p class="panel soft">${t("devices.none")}</p>`}</main>`;
}
