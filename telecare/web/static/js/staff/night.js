// The round page: list, picture, what to know, five outcomes; keys first (screens: night-round).
import { html, useEffect, useRef, useState } from "../lib/preact.js";
import { PATHS } from "../core/icons.js";
import { bootValues, clock, firstOf, t } from "../core/i18n.js";
import { Icon } from "./icons.js";
import { Without } from "./offline.js";
import * as round from "./round.js";
import * as store from "./store.js";
import { Btn, Loading, NoticeBox, usePage } from "./ui.js";

/** @typedef {import("./round.js").Check} Check */
/** @typedef {import("./round.js").Outcome} Outcome */

Object.assign(PATHS, {
  walk: "M13 5.5a1.500 1.500 0 1 0 0-3 1.500 1.500 0 0 0 0 3zM13 8l-3 6 4 3v5M10 14l-3 7M13 8l2 4 3 1M13 8l-4 1-1.500 3",
  eyeoff: "M3 3l18 18M10 6.2A9 9 0 0 1 12 6c6 0 9 6 9 6a15 15 0 0 1-2.500 3.300M6 8a15 15 0 0 0-3 4s3 6 9 6a9 9 0 0 0 3.500-.7",
});

const sheet = document.createElement("link");
sheet.rel = "stylesheet";
sheet.href = `${bootValues().static}/css/night.css`;
document.head.append(sheet);

/** @type {Array<{key: string, outcome: Outcome, icon: string, kind: string}>} */
const OUTCOMES = [
  { key: "1", outcome: "asleep", icon: "check", kind: "main" }, { key: "2", outcome: "up", icon: "walk", kind: "" },
  { key: "3", outcome: "not_seen", icon: "eyeoff", kind: "" }, { key: "4", outcome: "needs_visit", icon: "go", kind: "visit" },
  { key: "5", outcome: "technical_fault", icon: "tool", kind: "" },
];
/** @type {Array<"wrong_home"|"camera_moved"|"somebody_else">} */
const CUTS = ["wrong_home", "camera_moved", "somebody_else"];

/** What stands beside a name in the list. @param {Check} one */
function stateOf(one) {
  if (round.current.value === one.id) return t("night.now");
  if (round.ready.value.includes(one.id)) return t("night.ready");
  if (one.state === "due" || one.state === "planned") return Date.parse(one.look_from) > store.now.value ? clock(one.look_from) : Date.parse(one.starts_at) < store.now.value ? t("night.late") : "";
  if (["ready", "connecting", "viewing", "deciding"].includes(one.state)) return one.is_mine ? "" : one.by || t("protected.name");
  return clock(one.since);
}

/** @param {Check} one */
function wordOf(one) {
  const said = one.ended_as ? `night.ended.${one.ended_as}` : one.called_off_for ? `night.off.${one.called_off_for}` : one.state === "dispatched" ? `night.why.${one.why}` : one.without_camera ? "night.without_camera" : one.state === "phone" ? "night.to_phone" : one.looks > 0 ? "night.again" : "";
  return said ? firstOf([said]) : one.place;
}

/** @param {{stream: MediaStream|null}} props */
function Picture({ stream }) {
  const node = useRef(/** @type {HTMLVideoElement|null} */ (null));
  useEffect(() => {
    const video = node.current;
    if (!video) return;
    video.srcObject = stream;
    if (!stream) return;
    video.play().catch(() => {});
    if (round.end.value) round.end.value.watchVideo(video);
  }, [stream]);
  return html`<video ref=${node} aria-label=${t("night.picture")} autoplay playsinline muted></video>`;
}

/** Those who wait for a visit: open to us until somebody is there. */
function Staying() {
  return html`${round.staying.value.map((one) => {
    const from = Date.parse(/** @type {string} */ (one.again_from));
    const waits = from > store.now.value;
    return html`<section class="panel stay" key=${one.id} data-test="stay"><h2>${one.resident_name || t("protected.name")}</h2><p>${one.there_by ? t("night.stay_by", { time: clock(one.there_by) }) : t("night.stay_nobody", { time: clock(one.since) })}</p>
      <p><${Btn} test="look-again" disabled=${waits || round.phase.value !== "idle"} act=${() => round.lookAgain(one)}>${waits ? t("night.look_again_at", { time: clock(new Date(from + 59999).toISOString()) }) : t("night.look_again")}<//></p></section>`;
  })}`;
}

const SAID = { asked: "night.speak_wait", on: "night.speak_now", failed: "night.speak_failed", no_microphone: "night.no_microphone" };

/** @param {{one: Check}} props */
function Speech({ one }) {
  const now = round.speech.value;
  if (!one.may_speak || round.phase.value !== "viewing") return null;
  return html`<div class="speech" role="status">${now !== "off" && html`<p data-test="speech" data-speech=${now}>${t(SAID[now])}</p>`}</div>`;
}

/** @param {{check: Check}} props */
function About({ check }) {
  const one = round.about.value;
  if (!one) return null;
  return html`${one.to_know && html`<div class="note"><h2>${t("call.to_know")}</h2><p>${one.to_know}</p></div>`}
    <h2>${t("night.consent")}</h2><p>${t(one.picture === "blurred" ? "night.yes_blurred" : "night.yes_clear", { hours: one.hours || t("night.any_hour") })}${check.is_last_night ? html` <b data-test="last-night">${t("night.last_night")}</b>` : null}</p>
    ${one.last && html`<h2>${t("night.last")}</h2><p>${clock(one.last.at)} ${t(`night.ended.${one.last.ended_as}`)}${one.last.by ? ` (${one.last.by})` : ""}</p>`}
    <h2>${t("night.if_wrong")}</h2><p>${check.unit_name}${check.unit_phone ? ` ${check.unit_phone}` : ""}</p>`;
}

/** Over the picture: why there is none. @param {{phase: import("./round.js").Phase, act: (do_: () => Promise<void>) => void}} props */
function Over({ phase, act }) {
  if (phase === "cut") {
    return html`<div class="still" role="alertdialog" aria-label=${t("night.cut_title")} data-test="cut"><h2>${t("night.cut_title")}</h2>${CUTS.map((why) => html`<button key=${why} type="button" class="btn" data-test=${`cut-${why}`} onClick=${() => act(() => round.sayWhy(why))}>${t(`night.cut.${why}`)}</button>`)}</div>`;
  }
  if (phase === "deciding") return html`<div class="still calm" role="status" data-test="deciding"><h2>${t("night.deciding")}</h2></div>`;
  if (round.noPicture.value) return html`<div class="still" role="alert" data-test="no-picture"><${Icon} name="warn" /><h2>${t("night.no_picture")}</h2><p>${t("night.no_picture_why")}</p></div>`;
  if (phase === "opening") return html`<div class="still calm" role="status"><h2>${t("night.opening")}</h2></div>`;
  return null;
}

/** Before the first home of a shift, and whenever nobody is looked at. @param {{act: (do_: () => Promise<void>) => void}} props */
function Start({ act }) {
  const said = Boolean(round.tonight.value && round.tonight.value.is_private);
  const [ticked, tick] = useState(false);
  const alone = said || ticked;
  const waiting = round.queue.value.length;
  const coming = round.roundChecks.value.find((one) => one.state === "planned" || (one.state === "due" && Date.parse(one.look_from) > store.now.value));
  const phones = round.toPhone.value;
  return html`<div class="start">${round.interrupted.value !== null && html`<p role="status" data-test="interrupted">${t("night.interrupted", { name: round.interrupted.value || t("protected.name") })}</p>`}<${Staying} />${phones.map((one) => html`<section class="panel" key=${one.id} data-test="phone"><h2>${one.resident_name || t("protected.name")}</h2><p>${t("night.phone_why")}</p>
      ${one.resident_phone && html`<p><a class="btn" href=${`tel:${one.resident_phone}`}>${t("night.phone", { number: one.resident_phone })}</a></p>`}
      <p class="row"><${Btn} kind="btn go" test="reached" act=${() => round.phoned(one.id, true)}>${t("night.reached")}<//><${Btn} test="not-reached" act=${() => round.phoned(one.id, false)}>${t("night.not_reached")}<//></p></section>`)}
    ${waiting > 0 ? html`<h2>${t("night.waiting", { n: waiting })}</h2>
      ${!said && html`<label class="opt"><input type="checkbox" data-test="private" checked=${ticked} onChange=${(/** @type {Event} */ e) => tick(/** @type {HTMLInputElement} */ (e.target).checked)} /><span class="b">${t("night.private")}</span></label>`}
      <p><button type="button" class="btn go big" data-test="begin-round" disabled=${!alone} onClick=${() => act(round.begin)}>${t("night.begin")}</button></p>`
    : html`<h2 data-test="nothing-due">${t(coming ? "night.next_at" : "night.none", { time: coming ? clock(coming.look_from) : "" })}</h2>`}
    <p class="row wrap"><a class="btn" href="#/patrol">${t("patrol.title")}</a><a class="btn" href="#/">${t("common.to_today")}</a></p></div>`;
}

export function NightPage() {
  const heading = usePage(t("night.title"));
  const [error, setError] = useState(/** @type {string|null} */ (null));
  useEffect(() => round.watch(), []);
  /** @param {() => Promise<void>} do_ */
  const act = (do_) => { setError(null); do_().catch(store.complain); };
  useEffect(() => {
    /** @param {KeyboardEvent} e */
    const key = (e) => {
      if (e.repeat || e.ctrlKey || e.altKey || e.metaKey || /^(INPUT|TEXTAREA|SELECT)$/.test(/** @type {HTMLElement} */ (e.target).tagName)) return;
      if (e.key === " " && round.phase.value === "idle" && /^(BUTTON|A)$/.test(/** @type {HTMLElement} */ (e.target).tagName)) return;
      const outcome = OUTCOMES.find((one) => one.key === e.key);
      if (outcome) act(() => round.say(outcome.outcome));
      else if (e.key === "0") act(round.closeNow);
      else if (e.key === "l" || e.key === "L") act(round.extend);
      else if (e.key === "s" || e.key === "S") act(round.speak);
      else if (e.key === " " && round.mayTurn()) act(round.running.value ? round.pause : round.begin);
      else return;
      e.preventDefault();
    };
    addEventListener("keydown", key);
    return () => removeEventListener("keydown", key);
  }, []);
  const list = round.roundChecks.value;
  const one = round.currentCheck.value;
  const phase = round.phase.value;
  if (!round.tonight.value) return html`<main id="main"><h1 tabindex="-1" ref=${heading}>${t("night.title")}</h1><${NoticeBox} /><${Loading} error=${error} again=${() => act(round.refresh)} /></main>`;
  const done = list.filter((each) => each.state === "done" || each.state === "called_off" || each.state === "dispatched").length;
  const left = Math.ceil(list.filter((each) => each.modality === "camera" && each.state === "due").length * 15 / 60);
  const stream = round.end.value && phase === "viewing" || phase === "opening" ? round.end.value && round.end.value.theirs.value : null;
  const seconds = round.secondsLeft.value;
  return html`<main id="main" class="round" data-test="round" data-phase=${phase}><header><h1 tabindex="-1" ref=${heading}>${t("night.round", { n: round.roundNumber.value })}</h1>
      <div class="meter"><progress max=${list.length || 1} value=${done} aria-label=${t("night.done")}></progress><span data-test="progress">${t("night.progress", { done, all: list.length })}${left ? `, ${t("night.left", { n: left })}` : ""}</span></div></header>
    <ol class="list" tabindex="0" aria-label=${t("night.list")}>${list.map((each) => html`<li key=${each.id} data-test="check" data-state=${each.state} aria-current=${each.id === round.current.value ? "step" : undefined}><b>${each.resident_name || t("protected.name")}</b><span>${stateOf(each)}</span><small>${wordOf(each)}</small></li>`)}</ol>
    ${one && phase !== "idle" ? html`<div class="view"><${Picture} stream=${stream} /><div class="who">${one.resident_name || t("protected.name")}</div>
      ${phase === "viewing" && html`<div class="rec"><${Icon} name="video" />${t("night.camera_on")}</div>`}${seconds !== null && html`<div class="count" role="timer" aria-label=${t("night.time_left")}>0:${String(seconds).padStart(2, "0")}</div>`}<${Over} phase=${phase} act=${act} /></div>
    <aside class="card" aria-label=${t("night.about")}><${Without} at=${round.listedAt.value} /><${NoticeBox} /><${About} check=${one} /><${Speech} one=${one} /><${Staying} /><p class="keys">${t("night.keys")}</p></aside>
    ${!round.isAgain.value && html`<div class="out" role="group" aria-label=${t("night.what")}>${OUTCOMES.map((each) => html`<button key=${each.key} type="button" class=${each.kind} data-test=${`say-${each.outcome}`} disabled=${phase === "cut" || (!round.maySay.value && each.outcome !== "technical_fault")} onClick=${() => act(() => round.say(each.outcome))}><${Icon} name=${each.icon} /><span>${t(`night.say.${each.outcome}`)}</span><kbd aria-hidden="true">${each.key}</kbd></button>`)}</div>`}
    <div class="more"><button type="button" data-test="close-now" onClick=${() => act(round.closeNow)} disabled=${phase === "cut"}>${t("night.close_now")}<kbd aria-hidden="true">0</kbd></button><button type="button" data-test="longer" disabled=${phase !== "viewing" || round.isAgain.value || round.extended.value > 1} onClick=${() => act(round.extend)}>${t("night.longer")}<kbd aria-hidden="true">L</kbd></button>${one.may_speak && html`<button type="button" data-test="speak" disabled=${phase !== "viewing" || round.speech.value === "asked" || round.speech.value === "on"} onClick=${() => act(round.speak)}>${t("night.speak")}<kbd aria-hidden="true">S</kbd></button>`}${!round.isAgain.value && html`<button type="button" data-test="pause" onClick=${() => act(round.running.value ? round.pause : round.begin)}>${t(round.running.value ? "night.pause" : "night.go_on")}</button>`}</div>`
    : html`<div class="view idle"><${Without} at=${round.listedAt.value} /><${NoticeBox} /><${Start} act=${act} /></div>`}</main>`;
}
