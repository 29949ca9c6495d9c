// The call, and the page after it.
import { html, useEffect, useRef, useState } from "../lib/preact.js";
import { get, post } from "../core/api.js";
import { clock, duration, t } from "../core/i18n.js";
import { Icon } from "./icons.js";
import { Part, later } from "./later.js";
import * as store from "./store.js";
import { Btn, Loading, NoticeBox, useFetched, usePage } from "./ui.js";
import { whenText } from "./when.js";

/** @typedef {import("../core/wire").CallFrame} CallFrame */
/** @typedef {import("../core/call.js").CallEnd} CallEnd */
/**
 * @typedef {object} VisitPage
 * @property {Array<{n: number, text: string, done: boolean}>} to_do
 * @property {string|null} to_know
 * @property {string|null} note
 * @property {{at: string, minutes: number, outcome: string|null}|null} last_call
 * @property {Array<{name: string, relation: string, has_said_yes: boolean}>} lives_here
 */

/** @param {{stream: MediaStream|null, label: string, muted?: boolean, end?: CallEnd}} props */
function Video({ stream, label, muted, end }) {
  const node = useRef(/** @type {HTMLVideoElement|null} */ (null));
  const [blocked, setBlocked] = useState(false);
  useEffect(() => {
    const video = node.current;
    if (!video) return;
    video.srcObject = stream;
    if (!stream) return;
    video.play().then(() => setBlocked(false), (error) => setBlocked(error.name === "NotAllowedError"));
    if (end) end.watchVideo(video);
  }, [stream]);
  const play = () => { if (node.current) node.current.play().then(() => setBlocked(false), () => {}); };
  return html`<video ref=${node} aria-label=${label} autoplay playsinline muted=${muted}></video>
    ${blocked && html`<button type="button" class="btn go unblock" onClick=${play}>${t("call.play_sound")}</button>`}`;
}

/** What the TV shows, and the field it is written in. @param {{end: CallEnd|null, given: string, language: string}} props */
function Writing({ end, given, language }) {
  const [text, setText] = useState("");
  const [menu, setMenu] = useState(false);
  /** @param {KeyboardEvent} e */
  const key = (e) => {
    if (e.key !== "Enter" || !end) return;
    e.preventDefault();
    if (text.trim()) { end.say(text.trim()); setText(""); }
  };
  /** @param {string} line */
  const say = (line) => { if (end) end.say(line); setText(""); setMenu(false); };
  return html`<div class="write"><label for="rtt">${t("call.write", { name: given })}</label>
    <input id="rtt" data-test="rtt" value=${text} lang=${language} autocomplete="off" maxlength="500" disabled=${!end} onKeyDown=${key}
      onInput=${(/** @type {Event} */ e) => { const value = /** @type {HTMLInputElement} */ (e.target).value; setText(value); if (end) end.typed(value); }} />
    <button type="button" class="k" data-test="ready" aria-expanded=${String(menu)} onClick=${() => setMenu(!menu)}><${Icon} name="list" />${t("call.ready")}</button>
    <button type="button" class="k" data-test="clear" onClick=${() => { setText(""); if (end) end.clearText(); }}><${Icon} name="x" />${t("call.clear")}</button>
    ${menu && html`<${Part} from="ready" name="ReadyLines" given=${{ language, say }} />`}</div>`;
}

/** @param {{page: VisitPage|null, frame: CallFrame}} props */
function About({ page, frame }) {
  if (!page) return null;
  const visit = frame.visit_id;
  const done = (visit && store.ticked.value[visit]) || [];
  return html`${page.to_know && html`<section class="note"><h2>${t("call.to_know")}</h2><p>${page.to_know}</p></section>`}
    ${page.to_do.length > 0 && html`<section class="todo"><h2>${t("call.to_do")}</h2>${page.to_do.map((one) => html`<label key=${one.n}><input type="checkbox" data-test="todo" checked=${one.done || done.includes(one.n)} disabled=${one.done} onChange=${(/** @type {Event} */ e) => { if (visit) store.tick(visit, one.n, /** @type {HTMLInputElement} */ (e.target).checked); }} /><span>${one.text}</span></label>`)}</section>`}
    ${page.lives_here.length > 0 && html`<section><h2>${t("call.home", { name: frame.resident_given_name })}</h2>${page.lives_here.map((one) => html`<p key=${one.name}>${t(one.has_said_yes ? "call.lives_here_yes" : "call.lives_here_no", { name: one.name, relation: one.relation })}</p>`)}</section>`}
    ${page.last_call && html`<section><h2>${t("call.last")}</h2><p>${whenText(page.last_call.at, store.now.value)}, ${t("common.minutes", { n: page.last_call.minutes })}.${page.last_call.outcome ? ` ${t(`outcome.${page.last_call.outcome}`)}.` : ""}</p></section>`}`;
}

/** The state of the picture over it, in words. @param {{frame: CallFrame, end: CallEnd|null}} props */
function Over({ frame, end }) {
  const media = frame.media;
  if (frame.state === "requested" || frame.state === "ringing") {
    // `now` is up to a second old: rounded down, a ring of 60 s is never said to last 61.
    const left = frame.ring_until ? Math.max(1, Math.floor((Date.parse(frame.ring_until) - store.now.value) / 1000)) : null;
    return html`<div class="still calm" role="status" data-test="ringing"><${Icon} name="phone" /><h2>${t("call.ringing", { name: frame.resident_given_name })}</h2><p>${left === null ? "" : t("call.ringing_left", { n: left })}</p></div>`;
  }
  if (end && end.elsewhere.value) {
    return html`<div class="still" role="status" data-test="elsewhere"><${Icon} name="swap" /><h2>${t("call.elsewhere")}</h2><p>${t("call.elsewhere_why")}</p><${Btn} kind="btn go" act=${() => store.continueHere(frame.call_id)}>${t("call.continue_here")}<//></div>`;
  }
  const picture = end ? end.picture.value : "waiting";
  if (frame.state === "dark" || picture === "paused") {
    return html`<div class="still" role="alert" data-test="paused"><${Icon} name="video" /><h2>${t("call.paused")}</h2><p>${t("call.paused_why")}</p></div>`;
  }
  if (media && !media.home_picture) return html`<div class="still" role="status" data-test="sound-only"><${Icon} name="mic" /><h2>${t("call.sound_only")}</h2><p>${t("call.sound_only_why", { name: frame.resident_given_name })}</p></div>`;
  if (picture === "waiting") return html`<div class="still calm" role="status" data-test="connecting"><h2>${t("call.connecting")}</h2></div>`;
  return null;
}

/** Does she see and hear us? @param {CallFrame} frame @param {CallEnd} end */
function seenText(frame, end) {
  const sees = end.cameraOn.value;
  const hears = end.wantMicrophone.value && end.trouble.value !== "no_microphone" && end.trouble.value !== "neither" && end.trouble.value !== "refused";
  return t(sees ? (hears ? "call.sees_hears" : "call.sees") : hears ? "call.hears" : "call.neither", { name: frame.resident_given_name });
}

/** @param {{id: string}} props */
export function CallPage({ id }) {
  const frame = store.call.value;
  if (!frame || frame.call_id !== id) return html`<${Joining} />`;
  return html`<${InCall} key=${id} frame=${frame} />`;
}

/** Between the press and the server's first frame. */
function Joining() {
  const heading = usePage(t("call.starting"));
  const [late, setLate] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLate(true), 6000);
    return () => clearTimeout(timer);
  }, []);
  return html`<main id="main" class="after"><h1 tabindex="-1" ref=${heading}>${t("call.starting")}</h1><${NoticeBox} />
    ${late && html`<p class="sum">${t("call.starting_late")}</p>`}<p><a class="btn" href="#/">${t("common.to_today")}</a></p></main>`;
}

/** @param {{frame: CallFrame}} props */
function InCall({ frame }) {
  const heading = usePage(t("call.title", { name: frame.resident_name }));
  // What comes after it is there when it is over, also on a line that is not.
  useEffect(() => { if (frame.visit_id) later("after").catch(() => {}); }, []);
  const end = store.end.value;
  const visit = frame.visit_id ? store.visitOf(frame.visit_id) : null;
  const waiting = store.waiting.value.find((row) => row.id === frame.call_id);
  const language = visit ? visit.resident_language : waiting ? waiting.resident_language : "sv";
  const page = useFetched(() => (frame.visit_id ? get(`/api/visits/${frame.visit_id}`) : get(`/api/residents/${frame.resident_id}`).then(cardAsPage)), [frame.call_id]);
  const about = /** @type {VisitPage|null} */ (page.value);
  const ringing = frame.state === "requested" || frame.state === "ringing";
  const given = frame.resident_given_name;
  const left = about ? about.to_do.filter((one) => !one.done && !((frame.visit_id && store.ticked.value[frame.visit_id]) || []).includes(one.n)).length : 0;
  const next = store.nextVisit(frame.visit_id);
  const trouble = end ? end.trouble.value : null;
  const sent = frame.visit_id ? store.sentOut.value[frame.visit_id] : undefined;
  const quality = end && !ringing ? end.quality.value : "unknown";
  // A picture that is no longer live is not left standing.
  const paused = frame.state === "dark" || (end !== null && end.picture.value === "paused");
  const shown = end !== null && end.picture.value === "live" && !paused && Boolean(frame.media && frame.media.home_picture);
  const sendVisit = async () => {
    await post(`/api/visits/${frame.visit_id}/step`, { step: "home_visit" });
    store.sentOut.value = { ...store.sentOut.value, [/** @type {string} */ (frame.visit_id)]: store.now.value };
  };
  const others = store.waiting.value.filter((row) => row.id !== frame.call_id && !row.taken_by);
  return html`<main id="main" class="live">
    <header><h1 tabindex="-1" ref=${heading}>${frame.resident_name}</h1>
      ${frame.opened_at && html`<span class="stat"><${Icon} name="clock" /><b data-test="elapsed">${duration(store.now.value - Date.parse(frame.opened_at))}</b>${visit && t("call.of_minutes", { n: visit.minutes })}</span>`}
      ${quality !== "unknown" && !paused && html`<span class=${`stat ${quality === "good" ? "" : "bad"}`} role="status" data-test="quality"><${Icon} name="signal" /><b>${t(`call.quality.${quality}`)}</b></span>`}
      ${frame.media && frame.media.home_picture && html`<span class="stat wide"><${Icon} name="shield" />${t("call.consent")}</span>`}
      ${others.length > 0 && html`<span class="stat bad" role="status" data-test="others-wait"><${Icon} name="phone" /><b>${t("call.others_wait", { n: others.length })}</b></span>`}
      ${next && html`<span class="stat wide push">${t("call.next", { time: clock(next.starts_at), name: next.resident_name })}</span>`}</header>
    ${about && (about.to_know || about.to_do.length > 0) && html`<details class="fold"><summary><${Icon} name="note" />${about.to_do.length ? t("call.fold", { left, all: about.to_do.length }) : t("call.to_know")}</summary><div><${About} page=${about} frame=${frame} /></div></details>`}
    <div class=${shown ? "view" : "view hidden"}><${Video} stream=${end ? end.theirs.value : null} label=${frame.resident_name} end=${end} />
      ${end && !ringing && !paused && !end.elsewhere.value && html`<div class="on" data-test="seen"><${Icon} name=${end.cameraOn.value ? "video" : "mic"} />${seenText(frame, end)}</div>`}
      <${Over} frame=${frame} end=${end} />
      ${end && (end.text.value.line || end.text.value.live) && html`<p class="subs" data-test="on-tv"><small>${t("call.on_tv", { name: given })}</small>${end.text.value.line && html`<span lang=${language}>${end.text.value.line}</span>`}${end.text.value.live && html`<b lang=${language}>${end.text.value.live}<i></i></b>`}</p>`}
      ${end && (end.reply.value.line || end.reply.value.live) && html`<p class="who" role="log" data-test="reply">${given}: ${end.reply.value.live || end.reply.value.line}</p>`}
      ${end && end.mine.value && html`<div class="self"><${Video} stream=${end.mine.value} label=${t("call.own_picture")} muted /><p>${t("call.you")}</p></div>`}</div>
    <aside class="about" aria-label=${t("call.about", { name: given })}>${page.error ? html`<${Loading} error=${page.error} again=${page.again} />` : html`<${About} page=${about} frame=${frame} />`}</aside>
    <footer class="ctl"><div><${NoticeBox} />${trouble && html`<p class="trouble" role="alert" data-test="trouble"><${Icon} name="warn" />${t(`trouble.${trouble}`)}</p>`}<${Writing} end=${end} given=${given} language=${language} /></div>
      <div class="keys">
        ${end && html`<button type="button" class="k" data-test="microphone" aria-pressed=${String(end.wantMicrophone.value)} onClick=${() => end.useMicrophone(!end.wantMicrophone.value)}><${Icon} name=${end.wantMicrophone.value ? "mic" : "micoff"} />${t(end.wantMicrophone.value ? "call.microphone_on" : "call.microphone_off")}</button>
        <button type="button" class="k" data-test="camera" aria-pressed=${String(end.wantCamera.value)} onClick=${() => end.useCamera(!end.wantCamera.value)}><${Icon} name=${end.wantCamera.value ? "video" : "off"} />${t(end.wantCamera.value ? "call.camera_on" : "call.camera_off")}</button>`}
        ${frame.visit_id && !ringing && (sent ? html`<p class="k sent" role="status" data-test="visit-sent"><${Icon} name="check" />${t("call.visit_sent", { time: clock(sent) })}</p>` : html`<${Btn} kind="k" icon="go" test="needs-visit" act=${sendVisit}>${t("outcome.needs_visit")}<//>`)}
        <${Btn} kind="k end" icon="hang" test="hang-up" act=${() => store.hangUp(frame.call_id)}>${t(ringing ? "call.cancel" : "call.hang_up")}<//></div></footer></main>`;
}

/** The card's facts where there is no visit. @param {any} card @returns {VisitPage} */
const cardAsPage = (card) => ({ to_do: [], to_know: (card.to_know || []).join(" "), note: null, last_call: null, lives_here: [] });
