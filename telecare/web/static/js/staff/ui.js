// Small parts that every staff page uses.
import { html, useEffect, useRef, useState } from "../lib/preact.js";
import { ApiError, sentence } from "../core/api.js";
import { t } from "../core/i18n.js";
import { Icon } from "./icons.js";
import { complain, notice } from "./store.js";

/** @typedef {import("../lib/preact.js").Child} Child */

/** Letters of a name for its round mark. @param {string} name */
export function initials(name) {
  const words = name.split(/\s+/).filter(Boolean);
  return ((words[0] || "").charAt(0) + (words.length > 1 ? words[words.length - 1].charAt(0) : "")).toUpperCase();
}

/** Title and focus follow the page. @param {string} title @returns {import("../lib/preact.js").Ref<HTMLHeadingElement>} */
export function usePage(title) {
  const heading = useRef(/** @type {HTMLHeadingElement|null} */ (null));
  useEffect(() => { document.title = `${title} – Telecare`; }, [title]);
  useEffect(() => {
    window.scrollTo(0, 0);
    if (heading.current) heading.current.focus({ preventScroll: true });
  }, []);
  return heading;
}

/**
 * A button that does one thing: dead while it is being done, says so after a second, and says what to
 * do next when it failed.
 * @param {{act: () => unknown, kind?: string, icon?: string, label?: string, test?: string, disabled?: boolean, pressed?: boolean, children?: Child}} props
 */
export function Btn(props) {
  const [busy, setBusy] = useState("");
  const mounted = useRef(true);
  useEffect(() => () => { mounted.current = false; }, []);
  const press = async () => {
    if (busy) return;
    setBusy("now");
    const slow = setTimeout(() => { if (mounted.current) setBusy("slow"); }, 1000);
    notice.value = null;
    try { await props.act(); } catch (error) { complain(error); } finally {
      clearTimeout(slow);
      if (mounted.current) setBusy("");
    }
  };
  return html`<button type="button" class=${props.kind || "btn"} data-test=${props.test} aria-label=${props.label}
    aria-pressed=${props.pressed === undefined ? undefined : String(props.pressed)} aria-busy=${busy ? "true" : undefined}
    disabled=${props.disabled} onClick=${press}>${props.icon && html`<${Icon} name=${props.icon} />`}<span>${busy === "slow" ? t("common.working") : props.children}</span></button>`;
}

/** What went wrong or was done, above the page. */
export function NoticeBox() {
  const now = notice.value;
  return html`<div role=${now && now.kind === "error" ? "alert" : "status"} class="notices">${now && html`<div class=${`notice ${now.kind}`} data-test="notice">
    <${Icon} name=${now.kind === "error" ? "warn" : "check"} /><p>${now.text}</p>
    <button type="button" class="btn small" onClick=${() => { notice.value = null; }}>${t("common.close")}</button></div>`}</div>`;
}

/**
 * Something fetched once for a page: the thing, or the sentence of what went wrong, and a way to ask again.
 * @template T @param {() => Promise<T>} fetcher @param {unknown[]} deps
 * @returns {{value: T|null, error: string|null, code: string|null, again: () => Promise<void>}}
 */
export function useFetched(fetcher, deps) {
  const [state, setState] = useState(/** @type {{value: T|null, error: string|null, code: string|null}} */ ({ value: null, error: null, code: null }));
  const turn = useRef(0);
  const again = async () => {
    const mine = (turn.current || 0) + 1;
    turn.current = mine;
    try {
      const value = await fetcher();
      if (turn.current === mine) setState({ value, error: null, code: null });
    } catch (error) {
      if (turn.current === mine) setState((old) => ({ value: old.value, error: sentence(error), code: error instanceof ApiError ? error.code : "internal" }));
    }
  };
  useEffect(() => {
    again();
    return () => { turn.current = (turn.current || 0) + 1; };
  }, deps);
  return { ...state, again };
}

/** @param {{error: string|null, again: () => unknown}} props */
export const Loading = ({ error, again }) => (error
  ? html`<div class="notice error" role="alert"><${Icon} name="warn" /><p>${error}</p><${Btn} kind="btn small" act=${again}>${t("common.try_again")}<//></div>`
  : html`<p class="soft" role="status">${t("common.loading")}</p>`);

/**
 * Radios as large rows.
 * @param {{legend: string, name: string, value: string, set: (value: string) => void, columns?: string, hint?: string, id?: string, error?: string,
 *   options: Array<{value: string, text: string, small?: string, disabled?: boolean}>, children?: Child}} props
 */
export function Radios(props) {
  return html`<fieldset id=${props.id || props.name} tabindex="-1"><legend>${props.legend}</legend>${props.hint && html`<p class="hint">${props.hint}</p>`}
    ${props.error && html`<p class="wrong"><${Icon} name="warn" />${props.error}</p>`}
    <div class=${`opts ${props.columns || ""}`}>${props.options.map((one) => html`<label class="opt" key=${one.value}>
      <input type="radio" name=${props.name} value=${one.value} checked=${props.value === one.value} disabled=${one.disabled} onChange=${() => props.set(one.value)} />
      <span class="b">${one.text}${one.small && html`<small>${one.small}</small>`}</span></label>`)}</div>${props.children}</fieldset>`;
}

/**
 * A labelled text field with its own fault.
 * @param {{id: string, label: string, value: string, set: (value: string) => void, hint?: string, error?: string, lines?: number, mode?: string, placeholder?: string, max?: number}} props
 */
export function Text(props) {
  const described = [props.hint && `${props.id}-hint`, props.error && `${props.id}-error`].filter(Boolean).join(" ") || undefined;
  const common = {
    id: props.id,
    value: props.value,
    "aria-describedby": described,
    "aria-invalid": props.error ? "true" : undefined,
    autocomplete: "off",
    maxlength: props.max || 500,
    onInput: (/** @type {Event} */ e) => props.set(/** @type {HTMLInputElement} */ (e.target).value),
  };
  return html`<div class="field"><label class="top" for=${props.id}>${props.label}</label>
    ${props.hint && html`<p class="hint" id=${`${props.id}-hint`}>${props.hint}</p>`}
    ${props.error && html`<p class="wrong" id=${`${props.id}-error`}><${Icon} name="warn" />${props.error}</p>`}
    ${props.lines ? html`<textarea rows=${props.lines} ...${common}></textarea>` : html`<input class="in" type="text" inputmode=${props.mode} ...${common} />`}</div>`;
}

/** @param {{id: string, label: string, value: string, set: (value: string) => void, options: Array<{value: string, text: string}>, error?: string}} props */
export const Choice = (props) => html`<div class="field"><label class="top" for=${props.id}>${props.label}</label>
  ${props.error && html`<p class="wrong" id=${`${props.id}-error`}><${Icon} name="warn" />${props.error}</p>`}
  <select class="in" id=${props.id} aria-describedby=${props.error ? `${props.id}-error` : undefined} onChange=${(/** @type {Event} */ e) => props.set(/** @type {HTMLSelectElement} */ (e.target).value)}>
    ${props.options.map((one) => html`<option key=${one.value} value=${one.value} selected=${one.value === props.value}>${one.text}</option>`)}</select></div>`;

/** @param {{kind: string, children?: Child}} props */
export const Tag = ({ kind, children }) => html`<span class=${`tag ${kind}`}>${children}</span>`;
