// The TV page: which screen, the remote, and the screens when nobody rings. ES2019 only (Chromium 79).
import { html, render, useEffect, useState } from "../lib/preact.js";
import { clock, dayMonth, partOfDay, t, weekday } from "../core/i18n.js";
import { Icon } from "../core/icons.js";
import { focusFirst, isBack, isVolumeOrPower, keyOf, move } from "../core/spatial.js";
import { CallingIn, Faces, InCall, Nobody, Over, Ringing, Taken } from "./call.js";
import { BackKey, CameraChip, goHome, ringsText } from "./parts.js";
import * as state from "./state.js";

/** "Klockan 15", "Klockan 15:20". @param {string} at */
const atText = (at) => t("tv.next.at", { time: clock(at).slice(3) === "00" ? String(Number(clock(at).slice(0, 2))) : clock(at) });

function Home() {
  const home = state.home.value;
  const at = state.now.value;
  const next = home && home.next;
  return html`<main class="safe home" data-test="home"><header><div><h1 class="vh">${t("tv.home.title")}</h1><div class="clock"><time>${clock(at)}</time></div><p class="day">${t(`tv.day.${partOfDay(at)}`, { weekday: weekday(at), date: dayMonth(at) })}</p></div><div><${CameraChip} /></div></header>
    ${state.problem.value ? html`<section class="next" role="alert" data-test="problem"><h2>${state.problem.value}</h2><p>${state.kept().unit_phone}</p></section>`
    : next ? html`<section class="next" aria-label=${t("tv.next.title")} data-test="next"><h2>${atText(next.at)}</h2><p>${ringsText(next)}</p></section>`
    : html`<section class="next none" data-test="next"><p>${home ? t("tv.next.none") : t("tv.starting")}</p></section>`}
    <nav class=${home && home.shows_looks ? "tiles four" : "tiles"} aria-label=${t("tv.home.choose")}><button type="button" class="tile" data-first data-test="tile-ring" onClick=${state.ringIn}><span class="in"><${Icon} name="phone" />${t("tv.home.ring")}</span></button>
    <button type="button" class="tile" data-test="tile-day" onClick=${() => { state.screen.value = "day"; }}><span class="in"><${Icon} name="day" />${t("tv.home.day")}</span></button>
    ${home && html`<button type="button" class="tile" data-test="tile-yes" onClick=${() => { state.screen.value = "yes"; }}><span class="in"><${Icon} name="shield" />${t("tv.home.yes")}</span></button>`}
    ${home && home.shows_looks && html`<button type="button" class="tile" data-test="tile-looks" onClick=${() => { state.screen.value = "looks"; }}><span class="in"><${Icon} name="people" />${t("tv.home.looks")}</span></button>`}</nav></main>`;
}

/** Pairing is fetched only by a screen that has no home yet. @param {{name: "Pairing"|"Word"}} props */
function Unpaired({ name }) {
  const [page, setPage] = useState(/** @type {typeof import("./pairing.js")|null} */ (null));
  useEffect(() => { import("./pairing.js").then(setPage, () => setTimeout(state.startAnew, 10000)); }, []);
  useEffect(() => { focusFirst(); });
  const View = page && page[name];
  return View ? html`<${View} />` : html`<main class="safe"><h1>${t("tv.pairing.title")}</h1><p class="lead" role="status">${t("tv.pairing.fetching")}</p></main>`;
}

/** Fetched when she goes there, or an alarm is out. @param {{name: "Yes"|"Looks"|"Day"|"Alarm"}} props */
function Own({ name }) {
  const [page, setPage] = useState(/** @type {typeof import("./own.js")|null} */ (null));
  useEffect(() => { import("./own.js").then((own) => own.ready().then(() => setPage(own))).catch(state.say); }, []);
  useEffect(() => { focusFirst(); });
  const View = page && page[name];
  return View ? html`<${View} />` : html`<main class="safe"><h1>${t("tv.home.yes")}</h1><p class="lead" role="status">${state.problem.value}</p><${BackKey} /></main>`;
}

function NoContact() {
  const phone = state.kept().unit_phone;
  const since = state.cutSince.value;
  return html`<main class="safe" data-test="no-contact"><div class="topright"><${CameraChip} /></div><p class="smallclock"><time>${clock(state.now.value)}</time></p><div class="say"><div class="disc"><${Icon} name="plug" /></div><div><h1>${t("tv.cut.title")}</h1><p class="lead">${since === null ? t("tv.cut.trying") : t("tv.cut.since", { time: clock(since) })}</p>
    <p class="do">${phone ? t("tv.cut.ring", { phone }) : t("tv.cut.ring_112")}<span>${t("tv.nobody.emergency")}</span></p>
    <div class="act"><button type="button" class="key" data-first data-test="try" onClick=${() => state.live.tryNow()}><${Icon} name="turnr" />${t("tv.cut.try")}</button></div></div></div></main>`;
}

/** One dim thing, moved a little each minute so that it does not burn in. */
function Night() {
  const at = state.now.value;
  const minute = Math.floor(at / 60000);
  useEffect(() => {
    document.body.classList.add("dark");
    return () => document.body.classList.remove("dark");
  }, []);
  return html`<main class=${`nightclock shift-${minute % 5}`} data-test="night"><h1 class="vh">${t("tv.night.title")}</h1><div class="clock"><time>${clock(at)}</time></div><p>${t("tv.night.text")}</p><button type="button" class="vh" data-first onClick=${() => {}}>${t("tv.night.wake")}</button></main>`;
}

/** Which screen, and its name for the title and for tests. @returns {{name: string, view: unknown}} */
function current() {
  const call = state.call.value;
  const screen = state.screen.value;
  if (call) {
    if (state.end.value && call.mine && (call.state === "open" || call.state === "dark")) return { name: "in-call", view: html`<${InCall} key=${call.call_id} frame=${call} />` };
    if (call.kind === "call_in") return { name: "calling-in", view: html`<${CallingIn} frame=${call} />` };
    if (call.state === "ringing" || call.state === "requested") return { name: "ringing", view: html`<${Ringing} key=${call.call_id} frame=${call} />` };
    return { name: "connecting", view: html`<${InCall} key=${call.call_id} frame=${call} />` };
  }
  if (screen === "pairing") return { name: screen, view: html`<${Unpaired} key="pairing" name="Pairing" />` };
  if (screen === "word") return { name: screen, view: html`<${Unpaired} key="word" name="Word" />` };
  if (screen === "nobody") return { name: screen, view: html`<${Nobody} />` };
  if (screen === "over") return { name: screen, view: html`<${Over} />` };
  if (screen === "faces") return { name: screen, view: html`<${Faces} />` };
  if (screen === "taken") return { name: screen, view: html`<${Taken} />` };
  if (state.home.value && state.home.value.alarm) return { name: "alarm", view: html`<${Own} key="alarm" name="Alarm" />` };
  if (state.cutSince.value !== null) return { name: "no-contact", view: html`<${NoContact} />` };
  if (state.night.value) return { name: "night", view: html`<${Night} />` };
  if (screen === "day") return { name: "day", view: html`<${Own} key="day" name="Day" />` };
  if (screen === "yes") return { name: screen, view: html`<${Own} key="yes" name="Yes" />` };
  if (screen === "looks") return { name: screen, view: html`<${Own} key="looks" name="Looks" />` };
  return { name: "home", view: html`<${Home} />` };
}

function App() {
  const { name, view } = current();
  useEffect(() => {
    document.documentElement.dataset.screen = name;
    const heading = document.querySelector("h1");
    document.title = (heading && heading.textContent) || "Telecare";
  }, [name]);
  // Exactly one thing has focus, always: also after the thing that had it went away.
  useEffect(() => { focusFirst(); });
  return view;
}

/** @param {KeyboardEvent} e */
function onKey(e) {
  if (isVolumeOrPower(e)) return;
  const key = keyOf(e);
  const asleep = state.night.value && !state.call.value;
  state.pressed();
  // Where she writes, only up and down lead out of the field.
  if (e.target instanceof HTMLInputElement && key !== "ArrowUp" && key !== "ArrowDown") return;
  if (asleep) { state.night.value = false; goHome(); e.preventDefault(); return; }
  if (key !== "Enter" && key !== " ") state.stopCountdown();
  if (isBack(key)) {
    e.preventDefault();
    const call = state.call.value;
    // In a call the back key does nothing; while it rings it is the harmless "not now" only by its own button.
    if (call || ["pairing", "word"].indexOf(state.screen.value) >= 0) return;
    goHome();
    return;
  }
  if (move(key)) e.preventDefault();
}

const keepForLater = () => import("../core/keep.js").then((keep) => keep.keepForLater("tv", "/tv")).catch(() => {});

const root = document.getElementById("app");
if (root) {
  root.textContent = "";
  addEventListener("keydown", onKey);
  addEventListener("focusout", () => setTimeout(focusFirst, 0));
  addEventListener("pointerdown", () => { state.pressed(); state.stopCountdown(); });
  render(html`<${App} />`, root);
  state.start();
  if (document.readyState === "complete") keepForLater();
  else addEventListener("load", () => setTimeout(keepForLater, 1000));
}
