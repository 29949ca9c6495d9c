// Ringing, waiting, in a call, and right after it.
import { html, useEffect, useRef, useState } from "../lib/preact.js";
import { t } from "../core/i18n.js";
import { Icon } from "../core/icons.js";
import * as state from "./state.js";

/** @typedef {import("../core/wire").CallFrame} CallFrame */

const TEXT_STAYS_MS = 10000;
const SURE_MS = 5000;

/** @param {{stream: MediaStream|null, label: string, muted?: boolean}} props */
function Video({ stream, label, muted }) {
  const node = useRef(/** @type {HTMLVideoElement|null} */ (null));
  const [blocked, setBlocked] = useState(false);
  useEffect(() => {
    const video = node.current;
    if (!video) return;
    video.srcObject = stream;
    if (!stream) return;
    video.play().then(() => setBlocked(false), (error) => setBlocked(error.name === "NotAllowedError"));
    if (!muted && state.end.value) state.end.value.watchVideo(video);
  }, [stream]);
  const play = () => { if (node.current) node.current.play().then(() => setBlocked(false), () => {}); };
  return html`<video ref=${node} aria-label=${label} autoplay playsinline muted=${muted}></video>${blocked && !muted && html`<button type="button" class="key sound" data-first onClick=${play}><${Icon} name="sound" />${t("tv.call.sound")}</button>`}`;
}

/** A face is not known: the first letter stands for her. @param {{name: string|null}} props */
const Face = ({ name }) => html`<div class="face letter-face" aria-hidden="true">${name ? name.charAt(0) : html`<${Icon} name="people" />`}</div>`;

/** @param {{frame: CallFrame}} props */
export function Ringing({ frame }) {
  const left = state.countdown.value;
  const all = useRef(left);
  if (left !== null && (all.current === null || left > all.current)) all.current = left;
  const name = frame.staff_given_name;
  return html`<main class="safe call ringing" data-test="ringing"><div class="topright"><span class="chip"><${Icon} name="off" />${t(left === null ? "tv.ring.camera_off" : "tv.camera.off")}</span></div>
    <${Face} name=${name} /><div><h1>${state.callerText(frame)}</h1><p class="from">${frame.unit_name ? t("tv.ring.from_unit", { unit: frame.unit_name }) : t("tv.ring.from")}</p>
    <div class="answers"><button type="button" class="big yes" data-first data-test="answer" onClick=${() => state.answer(false)}><${Icon} name="video" />${t("tv.ring.answer")}</button>
    <button type="button" class="big no" data-test="decline" onClick=${state.decline}>${t("tv.ring.not_now")}</button></div>
    ${state.problem.value && html`<p class="from" role="alert" data-test="problem">${state.problem.value} ${state.kept().unit_phone}</p>`}
    ${left !== null && html`<div class="auto" data-test="countdown"><span>${t("tv.ring.by_itself", { name: name || t("tv.homecare"), n: left })}</span><progress max=${all.current || left} value=${left} aria-label=${t("tv.time_left")}></progress><p class="hint">${t("tv.ring.stop")}</p></div>`}</div></main>`;
}

/** @param {{frame: CallFrame}} props */
export function CallingIn({ frame }) {
  return html`<main class="safe" data-test="calling-in"><div class="topright"><span class="chip"><${Icon} name="off" />${t("tv.camera.off")}</span></div><div class="say"><div class="disc pulse"><${Icon} name="phone" /></div><div><h1>${t(frame.state === "connecting" ? "tv.in.connecting" : "tv.in.title")}</h1><p class="lead">${t("tv.in.wait")}</p>
    <div class="act"><button type="button" class="key" data-first data-test="cancel" onClick=${state.hangUp}><${Icon} name="x" />${t("tv.in.cancel")}</button></div></div></div></main>`;
}

/** Read; back to the home screen. */
const Ok = () => html`<button type="button" class="key" data-first data-test="ok" onClick=${() => { state.screen.value = "home"; }}><${Icon} name="check" />${t("tv.ok")}</button>`;

/** Nobody could answer. */
export function Nobody() {
  const frame = state.last.value;
  const phone = (frame && frame.phone) || state.kept().unit_phone;
  return html`<main class="safe" data-test="nobody"><div class="say"><div class="disc"><${Icon} name="phone" /></div><div role="alert"><h1>${t("tv.nobody.title")}</h1><p class="lead strong">${t("tv.nobody.we_call")}</p>
    <p class="do">${phone ? t("tv.nobody.phone", { phone }) : ""}<span>${t("tv.nobody.emergency")}</span></p>
    <div class="act"><${Ok} /></div></div></div></main>`;
}

/** What the other end writes, and whether the picture has moved up for it. */
function useText() {
  const end = state.end.value;
  const text = end ? end.text.value : { line: "", live: "" };
  const filled = Boolean(text.line || text.live);
  const [stays, setStays] = useState(false);
  useEffect(() => {
    if (filled) { setStays(true); return undefined; }
    const timer = setTimeout(() => setStays(false), TEXT_STAYS_MS);
    return () => clearTimeout(timer);
  }, [filled]);
  const up = filled || stays;
  useEffect(() => {
    document.body.classList.toggle("with-text", up);
    return () => document.body.classList.remove("with-text");
  }, [up]);
  return { text, up };
}

/** @param {{frame: CallFrame}} props */
export function InCall({ frame }) {
  const { text, up } = useText();
  const [asking, setAsking] = useState(false);
  const [own, setOwn] = useState(/** @type {typeof import("./write.js")|null} */ (null));
  useEffect(() => { if (matchMedia("(pointer: coarse)").matches) import("./write.js").then(setOwn, () => {}); }, []);
  const begun = useRef(performance.now());
  const end = state.end.value;
  const media = frame.media;
  const name = frame.staff_given_name || t("tv.homecare");
  const soundOnly = Boolean(media && !media.home_picture);
  const paused = frame.state === "dark" || (end !== null && (end.picture.value === "paused" || (!end.lit.value && end.begun)));
  const waiting = end === null || (end.picture.value === "waiting" && !paused);
  const hang = () => {
    if (performance.now() - (begun.current || 0) < SURE_MS && !asking) { setAsking(true); return; }
    state.hangUp();
  };
  const trouble = end ? end.trouble.value : null;
  const on = state.cameras() === "on";
  return html`<main class="full" data-test="in-call"><h1 class="vh">${t("tv.call.title", { name })}</h1><div class="stage"><${Video} stream=${end ? end.theirs.value : null} label=${name} /></div>
    <div class="on-tv"><span class=${on ? "chip live" : "chip solid"} data-test="camera-chip"><${Icon} name=${on ? "video" : "off"} />${t(soundOnly && !on ? "tv.call.sound_only" : `tv.camera.${state.cameras()}`)}</span></div>
    ${paused ? html`<div class="cover" role="alert" data-test="paused"><p>${t("tv.call.paused")}<small>${t("tv.call.paused_why")}</small></p></div>` : waiting && html`<div class="cover" role="status" data-test="waiting"><p>${name}<small>${t(soundOnly ? "tv.call.sound_only" : "tv.call.coming")}</small></p></div>`}
    ${up && html`<div class="band"></div>`}
    ${up && html`<p class="rtt" role="log" aria-label=${t("tv.call.writes", { name })} data-test="rtt">${(text.line || text.live) && html`<small>${t("tv.call.writes", { name })}</small>`}<span class="words"><span>${text.live ? html`${text.line && html`<span class="before">${text.line}</span>`}${text.live}` : text.line}</span></span></p>`}
    ${end && end.mine.value && end.cameraOn.value && html`<div class="mine" data-test="mine"><${Video} stream=${end.mine.value} label=${t("tv.call.own")} muted /></div>`}
    ${trouble && html`<p class="trouble" role="status" data-test="trouble">${t(`tv.trouble.${trouble}`)}</p>`}
    ${own && end && !waiting && html`<${own.OwnWords} end=${end} name=${name} />`}
    <div class="call-foot">${asking ? html`<button type="button" class="key stay" data-first data-test="go-on" onClick=${() => setAsking(false)}>${t("tv.call.go_on")}</button>` : null}<button type="button" class="key end" key="hang" data-first=${!asking} data-test="hang-up" onClick=${hang}><${Icon} name="hang" />${t("tv.call.hang_up")}</button></div></main>`;
}

/** Just ended: both cameras off, said in words. */
export function Over() {
  const frame = state.last.value;
  const name = frame ? frame.staff_given_name || t("tv.homecare") : "";
  const reason = frame && frame.end_reason;
  const key = reason && ["consent_withdrawn", "connection_lost", "alarm_taken"].includes(reason) ? `tv.over.${reason}` : "tv.over.title";
  return html`<main class="safe" data-test="over"><div class="topright"><span class="chip"><${Icon} name="off" />${t(`tv.camera.${state.cameras()}`)}</span></div><div class="centre mid" role="status"><h1>${t(key, { name })}</h1></div></main>`;
}

export function Taken() {
  return html`<main class="safe" data-test="taken"><div class="centre mid" role="status"><h1>${t("tv.taken")}</h1><div class="act"><${Ok} /></div></div></main>`;
}

/** Three faces; silence is no answer. */
export function Faces() {
  const [left, setLeft] = useState(20);
  useEffect(() => {
    const timer = setInterval(() => setLeft((old) => old - 1), 1000);
    return () => clearInterval(timer);
  }, []);
  useEffect(() => { if (left <= 0) state.screen.value = "home"; }, [left]);
  /** @type {Array<["good"|"so_so"|"bad", string]>} */
  const faces = [["good", "glad"], ["so_so", "soso"], ["bad", "sad"]];
  return html`<main class="safe" data-test="faces"><div class="topright"><span class="chip"><${Icon} name="off" />${t(`tv.camera.${state.cameras()}`)}</span></div><div class="centre"><h1 class="low">${t("tv.faces.title")}</h1>
    <div class="faces">${faces.map(([face, icon], i) => html`<button type="button" key=${face} class="facebtn" data-first=${i === 0} data-test=${`face-${face}`} onClick=${() => state.leaveFace(face)}><span class="in"><${Icon} name=${icon} />${t(`tv.faces.${face}`)}</span></button>`)}</div>
    <div class="nb">${t("tv.faces.no_need")}<progress max="20" value=${left} aria-label=${t("tv.time_left")}></progress></div></div></main>`;
}
