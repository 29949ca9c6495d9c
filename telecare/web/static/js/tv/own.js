// Her own choices, and who has looked. ES2019 only (Chromium 79).
import { html, useEffect, useState } from "../lib/preact.js";
import { ApiError, post } from "../core/api.js";
import { bootValues, clock, dayMonth, learn, t } from "../core/i18n.js";
import { Icon } from "../core/icons.js";
import { BackKey, CameraChip } from "./parts.js";
import * as state from "./state.js";

/** @typedef {{n: number, at: string, kind: string, seconds: number, who: string, unit: string}} Look */

/** Its texts, fetched once. */
export async function ready() {
  const boot = bootValues();
  const answer = await fetch(`${boot.static}/texts/tv-${boot.lang}.json`);
  if (!answer.ok) throw new ApiError(answer.status, "internal", []);
  learn(await answer.json());
}

/** @param {boolean} show */
async function showLooks(show) {
  try {
    await post("/api/tv/looks/show", { show });
    state.screen.value = show ? "looks" : "home";
  } catch (error) { state.say(error); }
}

/** Her own yes, taken back here and now: one OK, effective at once. */
export function Yes() {
  const home = state.home.value;
  const [done, setDone] = useState("");
  const list = home ? home.yes : [];
  /** @param {string} purpose */
  const back = async (purpose) => { if (await state.takeBack(purpose)) setDone(purpose); };
  return html`<main class="safe" data-test="yes"><header class="head"><div><h1>${t("tv.yes.title")}</h1><p class="lead">${t("tv.yes.lead")}</p></div><div><${CameraChip} /></div></header>
    ${done && html`<p class="done" role="status" data-test="taken-back"><${Icon} name="check" />${t(`tv.yes.done.${done}`)}</p>`}${state.problem.value && html`<p class="done" role="alert">${state.problem.value}</p>`}
    <div class="rows">${list.filter((one) => one !== done).map((one) => html`<button type="button" class="row" key=${one} data-test=${`take-back-${one}`} onClick=${() => back(one)}><span class="in"><${Icon} name="check" /><span><b>${t(`tv.yes.${one}`)}</b><span class="sub">${t(`tv.yes.${one}.what`)}</span></span><span class="when">${t("tv.yes.press")}</span></span></button>`)}</div>
    <div class="foot"><${BackKey} />${home && html`<button type="button" class="key" data-test="show-looks" onClick=${() => showLooks(!home.shows_looks)}><${Icon} name="shield" />${t(home.shows_looks ? "tv.looks.hide" : "tv.looks.show")}</button>`}</div></main>`;
}

/** "I dag 14:08", "23 november 14:08". @param {string} at */
function when(at) {
  const day = dayMonth(Date.parse(at));
  const time = clock(at);
  return day === dayMonth(state.now.value) ? t("tv.looks.today", { time }) : t("tv.looks.on", { day, time });
}

/** @param {number} seconds */
const lasted = (seconds) => (seconds < 90 ? t("tv.looks.seconds", { n: seconds }) : t("tv.looks.minutes", { n: Math.round(seconds / 60) }));

/** @param {Look} one */
const what = (one) => t(one.kind === "call_in" ? "tv.looks.answered" : one.kind === "look" ? "tv.looks.looked" : one.kind === "robot" ? "tv.looks.robot" : "tv.looks.rang", { who: one.who || one.unit });

/** Who has seen or spoken with her: three at a time, OK on one asks about it. */
export function Looks() {
  const [page, setPage] = useState(/** @type {{items: Look[], below: number|null}|null} */ (null));
  const [chosen, setChosen] = useState(/** @type {Look|null} */ (null));
  const [asked, setAsked] = useState(false);
  /** @param {number|null} below */
  const read = async (below) => {
    try { setPage(await post("/api/tv/looks", below === null ? {} : { below })); } catch (error) { state.say(error); }
  };
  useEffect(() => { read(null); }, []);
  const ask = async () => {
    if (!chosen) return;
    try { await post(`/api/tv/looks/${chosen.n}/ask`); setAsked(true); } catch (error) { state.say(error); }
  };
  /** @param {Look|null} one */
  const choose = (one) => { setChosen(one); setAsked(false); };
  const head = html`<header class="head"><div><h1>${t("tv.looks.title")}</h1><p class="lead">${t("tv.looks.lead")}</p></div><div><${CameraChip} /></div></header>${state.problem.value && html`<p class="done" role="alert">${state.problem.value}</p>`}`;
  if (chosen) {
    return html`<main class="safe" key="one" data-test="look">${head}<p class="lead"><b>${what(chosen)}</b> (${chosen.unit})<br />${when(chosen.at)}. ${lasted(chosen.seconds)}</p>
      ${asked && html`<p class="done" role="status" data-test="look-asked"><${Icon} name="check" />${t("tv.looks.asked")}</p>`}
      <div class="foot"><button type="button" class="key" data-first data-test="looks-back" onClick=${() => choose(null)}><${Icon} name="back" />${t("tv.back")}</button>${!asked && html`<button type="button" class="key" data-test="look-ask" onClick=${ask}><${Icon} name="phone" />${t("tv.looks.ask")}</button>`}</div></main>`;
  }
  return html`<main class="safe" key="list" data-test="looks">${head}
    ${page && (page.items.length ? html`<div class="rows">${page.items.map((one) => html`<button type="button" class="row" key=${one.n} data-test="look-row" onClick=${() => choose(one)}><span class="in"><${Icon} name="video" /><span><b>${what(one)}</b><span class="sub">${lasted(one.seconds)}. ${one.unit}</span></span><span class="when">${when(one.at)}</span></span></button>`)}</div>` : html`<p class="lead empty">${t("tv.looks.nobody")}</p>`)}
    <div class="foot"><${BackKey} />${page && page.below !== null && html`<button type="button" class="key" data-test="older" onClick=${() => read(page.below)}><${Icon} name="right" />${t("tv.looks.older")}</button>`}</div></main>`;
}
