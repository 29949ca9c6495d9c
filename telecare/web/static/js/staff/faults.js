// What is wrong in a form, said on top of it: for the pages that are fetched when somebody goes there.
import { html, useEffect, useRef } from "../lib/preact.js";
import { ApiError, sentence } from "../core/api.js";
import { t } from "../core/i18n.js";
import { Icon } from "./icons.js";

/** All faults of a form on top, each a way to its field. @param {{faults: {[field: string]: string}, general?: string|null, nonce: number}} props */
export function Faults({ faults, general, nonce }) {
  const box = useRef(/** @type {HTMLElement|null} */ (null));
  const names = Object.keys(faults);
  const any = names.length > 0 || Boolean(general);
  useEffect(() => { if (any && box.current) box.current.focus(); }, [nonce]);
  if (!any) return null;
  /** @param {Event} e @param {string} name */
  const jump = (e, name) => {
    e.preventDefault();
    const field = document.getElementById(name);
    if (field) { field.focus(); field.scrollIntoView({ block: "center" }); }
  };
  return html`<div class="faults" role="alert" tabindex="-1" ref=${box} data-test="faults"><h2><${Icon} name="warn" />${t("common.check_form")}</h2>
    ${general && html`<p>${general}</p>`}
    <ul>${names.map((name) => html`<li key=${name}><a href=${`#${name}`} onClick=${(/** @type {Event} */ e) => jump(e, name)}>${faults[name]}</a></li>`)}</ul></div>`;
}

/** Faults out of a refusal: by field where the server names them. @param {unknown} error */
export function faultsOf(error) {
  /** @type {{[field: string]: string}} */
  const faults = {};
  if (error instanceof ApiError) error.fields.forEach((field) => { faults[field] = t("common.field_wrong", { field: t(`field.${field}`) }); });
  return { faults, general: sentence(error) };
}
