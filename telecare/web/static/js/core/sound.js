// Ring and tones, synthesised: 520 Hz and odd harmonics wake hard-of-hearing people best. No sound files.
const PATIENCE_MS = 1000;
/** @type {AudioContext|null} */
let context = null;
/** @type {{stop: () => void, name: string}|null} */
let playing = null;

/** @returns {AudioContext|null} */
function audio() {
  if (!context) {
    try { context = new AudioContext(); } catch (_) { context = null; }
  }
  return context;
}

/** Must run inside a press: browsers keep pages silent until then. @returns {Promise<boolean>} */
export async function unlock() {
  const ctx = audio();
  if (!ctx) return false;
  // A sound card that never starts must not hold back who unlocks the page or answers.
  const patience = new Promise((done) => { setTimeout(done, PATIENCE_MS); });
  try { await Promise.race([ctx.resume(), patience]); } catch (_) { return false; }
  return ctx.state === "running";
}

export const unlocked = () => Boolean(context && context.state === "running");

/** One beep. @param {AudioContext} ctx @param {AudioNode} out @param {number} at @param {number} length @param {number} pitch */
function beep(ctx, out, at, length, pitch) {
  const gain = ctx.createGain();
  gain.gain.setValueAtTime(0, at);
  gain.gain.linearRampToValueAtTime(1, at + 0.02);
  gain.gain.setValueAtTime(1, at + length - 0.03);
  gain.gain.linearRampToValueAtTime(0, at + length);
  gain.connect(out);
  // The square wave's own series, cut at 3 kHz: 520, 1560, 2600.
  [1, 3, 5].forEach((n) => {
    if (pitch * n > 3000) return;
    const tone = ctx.createOscillator();
    const part = ctx.createGain();
    tone.frequency.value = pitch * n;
    part.gain.value = 0.5 / n;
    tone.connect(part);
    part.connect(gain);
    tone.start(at);
    tone.stop(at + length);
  });
}

/** @type {{[name: string]: {pattern: Array<[number, number, number]>, every: number, volume: number, ramp: number}}} */
const TUNES = {
  // [start, length, pitch] in seconds and hertz
  ring: { pattern: [[0, 0.5, 520], [1, 0.5, 520]], every: 3, volume: 0.9, ramp: 3 },
  ringback: { pattern: [[0, 1, 425]], every: 5, volume: 0.12, ramp: 0 },
  waiting: { pattern: [[0, 0.4, 520], [0.6, 0.4, 520]], every: 3, volume: 0.5, ramp: 1 },
  // Three rising tones: nothing else on the page rises.
  alarm: { pattern: [[0, 0.25, 520], [0.3, 0.25, 655], [0.6, 0.5, 825]], every: 2.5, volume: 0.9, ramp: 0 },
  notice: { pattern: [[0, 0.18, 520], [0.25, 0.3, 655]], every: 0, volume: 0.5, ramp: 0 },
  chime: { pattern: [[0, 0.35, 655], [0.4, 0.6, 520]], every: 0, volume: 0.7, ramp: 0 },
};

/** Plays until `stop`, or once when the tune is a short one. @param {string} name */
export const play = (name) => sing(name, false);
/** Plays any tune through once, to hear how it sounds. @param {string} name */
export const sample = (name) => sing(name, true);

/** @param {string} name @param {boolean} isSample */
function sing(name, isSample) {
  if (playing && playing.name === name) return;
  stop();
  const ctx = audio();
  if (!ctx) return;
  if (ctx.state !== "running") ctx.resume().catch(() => {});
  const tune = TUNES[name];
  const out = ctx.createGain();
  out.gain.setValueAtTime(tune.ramp ? 0.0001 : tune.volume, ctx.currentTime);
  if (tune.ramp) out.gain.linearRampToValueAtTime(tune.volume, ctx.currentTime + tune.ramp);
  out.connect(ctx.destination);
  const once = () => tune.pattern.forEach(([start, length, pitch]) => beep(ctx, out, ctx.currentTime + start + 0.02, length, pitch));
  once();
  if (isSample || !tune.every) return;
  const timer = setInterval(once, tune.every * 1000);
  playing = { name, stop() { clearInterval(timer); out.gain.setValueAtTime(0, ctx.currentTime); out.disconnect(); } };
}

export function stop() {
  if (playing) playing.stop();
  playing = null;
}

/** Says it aloud where the engine can. @param {string} text @param {string} lang */
export function speak(text, lang) {
  if (!("speechSynthesis" in window)) return;
  const words = new SpeechSynthesisUtterance(text);
  words.lang = { sv: "sv-SE", fi: "fi-FI", en: "en-GB" }[/** @type {"sv"} */ (lang)] || lang;
  words.rate = 0.9;
  speechSynthesis.cancel();
  speechSynthesis.speak(words);
}
