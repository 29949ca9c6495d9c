// Texts by key, and times as people say them. The page's language is one; a reload changes it.
const boot = readBoot();

/**
 * @typedef {object} Boot
 * @property {string} static
 * @property {string} version
 * @property {string} lang
 * @property {{[key: string]: string}} texts
 * @property {boolean} demo
 * @property {boolean} [paired]
 * @property {string} [now]
 */

/** @returns {Boot} */
function readBoot() {
  const node = document.getElementById("boot");
  const read = node && node.textContent ? JSON.parse(node.textContent) : {};
  return Object.assign({ static: "", version: "", lang: "sv", texts: {}, demo: false }, read);
}

/** @returns {Boot} */
export const bootValues = () => boot;

const ZONE = "Europe/Stockholm";
const plural = new Intl.PluralRules(boot.lang);

/** More texts, of a page that was fetched later. @param {{[key: string]: string}} more */
export function learn(more) {
  Object.assign(boot.texts, more);
}

/** Is there a text for this key (or its plural)? @param {string} key @returns {boolean} */
export const has = (key) => key in boot.texts || `${key}_other` in boot.texts;

/**
 * The text; `n` among the values chooses `_one` or `_other`.
 * @param {string} key @param {{[name: string]: string|number|null|undefined}} [values] @returns {string}
 */
export function t(key, values) {
  let text = boot.texts[key];
  if (values && typeof values.n === "number" && boot.texts[`${key}_other`] !== undefined) {
    text = boot.texts[`${key}_${plural.select(values.n)}`] || boot.texts[`${key}_other`];
  }
  if (text === undefined) return key;
  return text.replace(/\{(\w+)\}/g, (whole, name) => {
    const value = values ? values[name] : undefined;
    return value === undefined || value === null ? whole : String(value);
  });
}

/** The first of the keys that has a text. @param {string[]} keys @param {{[name: string]: string|number|null|undefined}} [values] */
export const firstOf = (keys, values) => t(keys.find(has) || keys[keys.length - 1], values);

/** @type {{[name: string]: Intl.DateTimeFormat}} */
const formats = {};
/** @param {string} name @param {Intl.DateTimeFormatOptions} options @param {string} [lang] */
export function format(name, options, lang) {
  if (!formats[name]) formats[name] = new Intl.DateTimeFormat(lang || boot.lang, Object.assign({ timeZone: ZONE }, options));
  return formats[name];
}

/** @typedef {string|number|Date} When */
/** @param {When} at */
export const date = (at) => (at instanceof Date ? at : new Date(at));
/** "14:05" in every language. @param {When} at */
export const clock = (at) => format("clock", { hour: "2-digit", minute: "2-digit", hourCycle: "h23" }, "sv").format(date(at));
/** @param {When} at */
export const hourOf = (at) => Number(clock(at).slice(0, 2));
/** @param {string} text */
const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);
/** "Söndag" @param {When} at */
export const weekday = (at) => capital(format("weekday", { weekday: "long" }).format(date(at)));
/** "22 november" @param {When} at */
export const dayMonth = (at) => format("dayMonth", { day: "numeric", month: "long" }, boot.lang === "en" ? "en-GB" : undefined).format(date(at));
/** "4:12" of some milliseconds. @param {number} ms */
export function duration(ms) {
  const s = Math.max(0, Math.floor(ms / 1000));
  return `${Math.floor(s / 60)}:${String(s % 60).padStart(2, "0")}`;
}

/** Which of four parts of the day, for "Söndag eftermiddag". @param {When} at */
export function partOfDay(at) {
  const hour = hourOf(at);
  if (hour < 5 || hour >= 22) return "night";
  if (hour < 10) return "morning";
  if (hour < 12) return "forenoon";
  return hour < 18 ? "afternoon" : "evening";
}
