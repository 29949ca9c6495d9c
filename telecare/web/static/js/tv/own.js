// Her own choices, and who has looked. ES2019 only (Chromium 79).
import { html, useEffect, useState } from "../lib/preact.js";
import { ApiError, post } from "../core/api.js";
import { bootValues, clock, dayMonth, learn, t, weekday } from "../core/i18n.js";
import { Icon } from "../core/icons.js";
import { focusFirst } from "../core/spatial.js";
import { BackKey, CameraChip, ringsText } from "./parts.js";
import * as state from "./state.js";

/** @typedef {{n: number, at: string, kind: string, seconds: number, who: string, unit: string}} Look */
/** Somebody who lives there too and has said yes. @typedef {{id: string, given_name: string, shows: boolean}} Sharer */
/** @typedef {{items: Look[], below: number|null, sharers: Sharer[]}} Page */

/** Its texts, fetched once. */
export async function ready() {
  const boot = bootValues();
  const answer = await fetch(`${boot.static}/texts/tv-${boot.lang}.json`);
  if (!answer.ok) throw new ApiError(answer.status, "internal", []);
  learn(await answer.json());
}

const PAUSE_S = 20;

/** @param {boolean} show */
async function showLooks(show) {
  try {
    await post("/api/tv/looks/show", { show });
    state.screen.value = show ? "looks" : "home";
  } catch (error) { state.say(error); }
}

/** One thing is asked; without an answer somebody comes. @param {{done: () => void}} props */
function Pause({ done }) {
  const [left, setLeft] = useState(PAUSE_S);
  useEffect(() => { focusFirst(); }, []);
  /** @param {boolean} comes */
  const answer = async (comes) => { await sayOf("/api/tv/night/pause", { somebody_comes: comes }); done(); };
  useEffect(() => {
    if (left <= 0) { answer(true); return undefined; }
    const timer = setTimeout(() => setLeft(left - 1), 1000);
    return () => clearTimeout(timer);
  }, [left]);
  return html`<main class="safe" key="pause" data-test="pause"><header class="head"><div><h1>${t("tv.yes.pause_ask")}</h1><p class="lead">${t("tv.yes.pause_lead", { n: left })}</p></div><div><${CameraChip} /></div></header>
    <div class="foot"><button type="button" class="key" data-first data-test="pause-yes" onClick=${() => answer(true)}><${Icon} name="check" />${t("tv.yes.pause_yes")}</button><button type="button" class="key" data-test="pause-no" onClick=${() => answer(false)}><${Icon} name="x" />${t("tv.yes.pause_no")}</button></div></main>`;
}

/** Her own yes, taken back here and now: one OK, effective at once. */
export function Yes() {
  const home = state.home.value;
  const [done, setDone] = useState("");
  const [pausing, setPausing] = useState(false);
  const night = home ? home.night : "none";
  const list = home ? home.yes : [];
  /** @param {string} purpose */
  const back = async (purpose) => { if (await state.takeBack(purpose)) setDone(purpose); };
  if (pausing) return html`<${Pause} done=${() => setPausing(false)} />`;
  const pause = () => (night === "paused" ? sayOf("/api/tv/night/go-on", {}) : setPausing(true));
  return html`<main class="safe" key="yes" data-test="yes"><header class="head"><div><h1>${t("tv.yes.title")}</h1><p class="lead">${t(list.length ? "tv.yes.lead" : "tv.yes.none")}</p></div><div><${CameraChip} /></div></header>
    ${done && html`<p class="done" role="status" data-test="taken-back"><${Icon} name="check" />${t(`tv.yes.done.${done}`)}</p>`}${state.problem.value && html`<p class="done" role="alert">${state.problem.value}</p>`}
    <div class="rows">${list.filter((one) => one !== done).map((one) => html`<button type="button" class="row" key=${one} data-test=${`take-back-${one}`} onClick=${() => back(one)}><span class="in"><${Icon} name="check" /><span><b>${t(`tv.yes.${one}`)}</b><span class="sub">${t(`tv.yes.${one}.what`)}</span></span><span class="when">${t("tv.yes.press")}</span></span></button>`)}</div>
    <div class="foot"><${BackKey} />${night !== "none" && html`<button type="button" class="key" data-test="pause-night" onClick=${pause}><${Icon} name="clock" />${t(night === "paused" ? "tv.yes.pause_over" : "tv.yes.pause")}</button>`}${home && html`<button type="button" class="key" data-test="show-looks" onClick=${() => showLooks(!home.shows_looks)}><${Icon} name="shield" />${t(home.shows_looks ? "tv.looks.hide" : "tv.looks.show")}</button>`}</div></main>`;
}

/** "I dag 14:08", "23 november 14:08". @param {string} at */
function when(at) {
  const day = dayMonth(Date.parse(at));
  const time = clock(at);
  return day === dayMonth(state.now.value) ? t("tv.looks.today", { time }) : t("tv.looks.on", { day, time });
}

/** @param {number} seconds */
const lasted = (seconds) => (seconds < 90 ? t("tv.looks.seconds", { n: seconds }) : t("tv.looks.minutes", { n: Math.round(seconds / 60) }));

/** @param {Look} one @param {boolean} [ofBoth] */
const what = (one, ofBoth) => {
  const done = one.kind === "call_in" ? "answered" : one.kind === "look" ? "looked" : one.kind === "robot" ? "robot" : "rang";
  return t(`tv.looks.${ofBoth ? "home." : ""}${done}`, { who: one.who || one.unit });
};

/** Who has seen or spoken with her: three at a time, OK on one asks about it. With whoever lives there too, a view each. */
export function Looks() {
  const [page, setPage] = useState(/** @type {Page|null} */ (null));
  const [of, setOf] = useState(/** @type {Sharer|null} */ (null));
  const [chosen, setChosen] = useState(/** @type {Look|null} */ (null));
  const [asked, setAsked] = useState(false);
  const whose = of ? { whose: of.id } : {};
  /** @param {number|null} below @param {Sharer|null} [other] */
  const read = async (below, other) => {
    const ask = other === undefined ? whose : other ? { whose: other.id } : {};
    try { setPage(await post("/api/tv/looks", below === null ? ask : { ...ask, below })); } catch (error) { state.say(error); }
  };
  useEffect(() => { read(null); }, []);
  const ask = async () => {
    if (!chosen) return;
    try { await post(`/api/tv/looks/${chosen.n}/ask`, whose); setAsked(true); } catch (error) { state.say(error); }
  };
  /** @param {Look|null} one */
  const choose = (one) => { setChosen(one); setAsked(false); };
  /** @param {Sharer|null} other */
  const turn = async (other) => {
    setOf(other);
    if (other && !other.shows) return;
    setPage(null);
    await read(null, other);
  };
  /** @param {Sharer} other @param {boolean} show */
  const showTo = async (other, show) => {
    try {
      await post("/api/tv/looks/show", { show, whose: other.id });
      await turn(show ? { ...other, shows: true } : null);
    } catch (error) { state.say(error); }
  };
  const name = of ? of.given_name : "";
  const head = html`<header class="head"><div><h1>${of ? t("tv.looks.of", { name }) : t("tv.looks.title")}</h1><p class="lead">${of ? t(of.shows ? "tv.looks.of_lead" : "tv.looks.of_off", { name }) : t("tv.looks.lead")}</p></div><div><${CameraChip} /></div></header>${state.problem.value && html`<p class="done" role="alert">${state.problem.value}</p>`}`;
  if (chosen) {
    return html`<main class="safe" key="one" data-test="look">${head}<p class="lead"><b>${what(chosen, Boolean(of))}</b> (${chosen.unit})<br />${when(chosen.at)}. ${lasted(chosen.seconds)}</p>
      ${asked && html`<p class="done" role="status" data-test="look-asked"><${Icon} name="check" />${t("tv.looks.asked")}</p>`}
      <div class="foot"><button type="button" class="key" data-first data-test="looks-back" onClick=${() => choose(null)}><${Icon} name="back" />${t("tv.back")}</button>${!asked && html`<button type="button" class="key" data-test="look-ask" onClick=${ask}><${Icon} name="phone" />${t("tv.looks.ask")}</button>`}</div></main>`;
  }
  const back = html`<button type="button" class="key" data-first data-test="looks-own" onClick=${() => turn(null)}><${Icon} name="back" />${t("tv.back")}</button>`;
  if (of && !of.shows) {
    return html`<main class="safe" key=${`off-${of.id}`} data-test="looks-off">${head}<div class="foot">${back}<button type="button" class="key" data-test="looks-show-to" onClick=${() => showTo(of, true)}><${Icon} name="shield" />${t("tv.looks.of_show", { name })}</button></div></main>`;
  }
  return html`<main class="safe" key=${of ? of.id : "list"} data-test=${of ? "looks-of" : "looks"}>${head}
    ${page && (page.items.length ? html`<div class="rows">${page.items.map((one) => html`<button type="button" class="row" key=${one.n} data-test="look-row" onClick=${() => choose(one)}><span class="in"><${Icon} name="video" /><span><b>${what(one, Boolean(of))}</b><span class="sub">${lasted(one.seconds)}. ${one.unit}</span></span><span class="when">${when(one.at)}</span></span></button>`)}</div>` : html`<p class="lead empty">${t(of ? "tv.looks.of_nobody" : "tv.looks.nobody")}</p>`)}
    <div class="foot">${of ? back : html`<${BackKey} />`}${page && page.below !== null && html`<button type="button" class="key" data-test="older" onClick=${() => read(page.below)}><${Icon} name="right" />${t("tv.looks.older")}</button>`}${of ? html`<button type="button" class="key" data-test="looks-hide-from" onClick=${() => showTo(of, false)}><${Icon} name="shield" />${t("tv.looks.of_hide", { name })}</button>` : page && page.sharers.map((other) => html`<button type="button" class="key" key=${other.id} data-test="looks-whose" onClick=${() => turn(other)}><${Icon} name="people" />${other.given_name}</button>`)}</div></main>`;
}

/** What stands in her day. */
export function Day() {
  const home = state.home.value;
  const at = state.now.value;
  const [page, setPage] = useState(0);
  const all = home ? home.today : [];
  const size = 4;
  const shown = all.slice(page * size, page * size + size);
  const next = all.find((one) => Date.parse(one.at) >= at - 600000);
  return html`<main class="safe" data-test="day"><header class="head"><div><h1>${t("tv.home.day")}</h1><p class="lead">${t("tv.my_day.lead", { weekday: weekday(at), date: dayMonth(at), time: clock(at) })}</p></div><div><${CameraChip} /></div></header>
    ${all.length ? html`<ol class="plan">${shown.map((one) => { const past = Date.parse(one.at) < at - 600000 && one !== next; return html`<li key=${one.at} class=${one === next ? "now" : past ? "past" : ""} aria-current=${one === next ? "time" : undefined}><time datetime=${one.at}>${clock(one.at)}</time><${Icon} name=${past ? "check" : "video"} /><span>${ringsText(one)}</span></li>`; })}</ol>` : html`<p class="lead empty">${t("tv.next.none")}</p>`}
    <div class="foot"><${BackKey} />${all.length > size && html`<button type="button" class="key" data-test="more" onClick=${() => setPage((page + 1) * size < all.length ? page + 1 : 0)}><${Icon} name="right" />${t("tv.more")}</button>`}</div></main>`;
}

/** @param {string} path @param {object} body */
async function sayOf(path, body) {
  try { await post(path, body); } catch (error) { state.say(error); }
}

/** Her alarm has arrived, and who has it. Pressing again is another alarm. */
export function Alarm() {
  const home = state.home.value;
  const alarm = home && home.alarm;
  const again = () => sayOf("/api/tv/alarms", { press: newId() });
  if (!alarm) return null;
  return html`<main class="safe" data-test="alarm" data-taken=${String(alarm.taken)}><div class="topright"><${CameraChip} /></div><div class="say"><div class="disc arrived"><${Icon} name="check" /></div><div><h1>${t("tv.alarm.arrived")}</h1>
    <p class="lead" role="status">${alarm.taken ? t(alarm.by ? "tv.alarm.taken" : "tv.alarm.taken_unit", { name: alarm.by }) : t("tv.alarm.waiting")}</p>
    <p class="lead">${t(alarm.cancelled ? "tv.alarm.cancelled" : "tv.alarm.stay")}</p>${state.problem.value && html`<p class="lead" role="alert">${state.problem.value} ${home.unit_phone}</p>`}
    <div class="act"><button type="button" class="key" data-first data-test="alarm-again" onClick=${again}>${t("tv.alarm.again")}</button> ${!alarm.cancelled && html`<button type="button" class="key" data-test="alarm-wrong" onClick=${() => sayOf(`/api/tv/alarms/${alarm.id}/cancel`, {})}><${Icon} name="x" />${t("tv.alarm.wrong")}</button>`}</div></div></div></main>`;
}

/** Chromium 79 has no crypto.randomUUID. */
function newId() {
  const b = crypto.getRandomValues(new Uint8Array(16));
  b[6] = (b[6] & 15) | 64;
  b[8] = (b[8] & 63) | 128;
  const hex = Array.from(b, (one) => one.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}
