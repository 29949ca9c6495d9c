// A screen without a home: its six letters, and the word that both ends show. ES2019 only (Chromium 79).
import { html, signal, useEffect } from "../lib/preact.js";
import { get, post } from "../core/api.js";
import { bootValues, t } from "../core/i18n.js";
import { Icon } from "../core/icons.js";
import * as state from "./state.js";

/** The code on the page, until when on this page's own clock, or the word. */
const code = signal(/** @type {{letters: string, until: number, qr: string, size: number}|null} */ (null));
const word = signal("");
let polling = false;

const sheet = document.createElement("link");
sheet.rel = "stylesheet";
sheet.href = `${bootValues().static}/css/tv-pairing.css`;
document.head.appendChild(sheet);

async function newCode() {
  code.value = null;
  state.problem.value = "";
  try {
    const made = await post("/api/tv/pairing");
    code.value = { letters: made.letters, until: performance.now() + made.valid_s * 1000, qr: made.qr_path, size: made.qr_size };
    if (!polling) poll();
  } catch (error) {
    state.say(error);
    setTimeout(() => { if (state.screen.value === "pairing" && !code.value) newCode(); }, 10000);
  }
}

function poll() {
  polling = true;
  setTimeout(async () => {
    try {
      const answered = await get("/api/tv/pairing");
      if (answered.state === "paired") {
        polling = false;
        // Her screen as before, opened again: there is no word to compare.
        if (!answered.word) { state.startAnew(); return; }
        word.value = answered.word || "";
        state.screen.value = "word";
        setTimeout(state.startAnew, 30000);
        return;
      }
    } catch (_) { /* asked again in two seconds */ }
    if (state.screen.value === "pairing") poll();
    else polling = false;
  }, 2000);
}

export function Pairing() {
  const made = code.value;
  // Read so that the page is drawn anew as the time goes.
  const left = made && state.now.value ? made.until - performance.now() : 0;
  const over = Boolean(made) && left <= 0;
  useEffect(() => { if (!code.value) newCode(); }, []);
  useEffect(() => { if (over) newCode(); }, [over]);
  const minutes = Math.max(1, Math.ceil(left / 60000));
  return html`<main class="safe" data-test="pairing"><header class="head"><div><h1>${t("tv.pairing.title")}</h1><p class="lead">${t("tv.pairing.lead")}</p></div><div><span class="chip"><${Icon} name="off" />${t("tv.camera.off")}</span></div></header>
    <div class=${made ? "pairing" : "pairing wide"}><div>${made ? html`<p class="code" data-test="letters" aria-label=${t("tv.pairing.code", { letters: made.letters.split("").join(" ") })}>${made.letters.slice(0, 3)}<i></i>${made.letters.slice(3)}</p>` : html`<p class="lead" role="status">${state.problem.value || t("tv.pairing.fetching")}</p>`}
      <ol><li><b>1</b>${t("tv.pairing.step1")}</li><li><b>2</b>${t("tv.pairing.step2")}</li><li><b>3</b>${t("tv.pairing.step3")}</li></ol></div>
      ${made && html`<div class="qr"><svg viewBox=${`-2 -2 ${made.size + 4} ${made.size + 4}`} role="img" aria-label=${t("tv.pairing.qr")} data-test="qr"><rect x="-2" y="-2" width=${made.size + 4} height=${made.size + 4} rx="1" fill="#fff" /><path d=${made.qr} fill="#0e1b26" shape-rendering="crispEdges" /></svg></div>`}</div>
    <div class="foot"><button type="button" class="key" data-first data-test="new-code" onClick=${newCode}><${Icon} name="turnr" />${t("tv.pairing.new")}</button>${made && html`<span class="chip"><${Icon} name="clock" />${t("tv.pairing.valid", { n: minutes })}</span>`}</div></main>`;
}

export function Word() {
  return html`<main class="safe" data-test="word"><header class="head"><div><h1>${t("tv.word.title")}</h1><p class="lead">${t("tv.word.lead")}</p></div></header><p class="code word" data-test="pair-word">${word.value}</p>
    <div class="foot"><button type="button" class="key" data-first data-test="same" onClick=${state.startAnew}><${Icon} name="check" />${t("tv.word.same")}</button></div></main>`;
}
