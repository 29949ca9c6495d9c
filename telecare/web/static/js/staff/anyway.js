// "Öppna ändå": no mission there, and somebody may come to harm.
import { html, useState } from "../lib/preact.js";
import { get, post } from "../core/api.js";
import { clock, t } from "../core/i18n.js";
import { Faults, faultsOf } from "./faults.js";
import { Icon } from "./icons.js";
import * as store from "./store.js";
import { Btn, Loading, Radios, Text, useFetched, usePage } from "./ui.js";

const KINDS = ["alarm_unanswered", "fall_suspected", "no_answer_twice", "other"];
const LEAST = 10;

/** @param {{id: string}} props */
export function AnywayPage({ id }) {
  const heading = usePage(t("anyway.title"));
  const found = useFetched(() => get(`/api/residents/${id}/closed`), [id]);
  const [kind, setKind] = useState("");
  const [reason, setReason] = useState("");
  const [wrong, setWrong] = useState(/** @type {{faults: {[field: string]: string}, general: string|null, nonce: number}} */ ({ faults: {}, general: null, nonce: 0 }));
  const closed = /** @type {{name: string, unit_name: string}|null} */ (found.value);
  const back = html`<a class="crumb" href=${`#/people/${id}`}><${Icon} name="back" />${t("people.title")}</a>`;
  if (!closed) return html`<main id="main">${back}<h1 class="vh">${t("anyway.title")}</h1><${Loading} error=${found.error} again=${found.again} /></main>`;
  const name = closed.name || t("protected.name");
  /** @param {{[field: string]: string}} faults @param {string|null} general */
  const say = (faults, general) => setWrong((old) => ({ faults, general, nonce: old.nonce + 1 }));
  const open = async () => {
    /** @type {{[field: string]: string}} */
    const faults = {};
    if (!kind) faults.kind = t("anyway.wrong.kind");
    if (reason.trim().length < LEAST) faults.reason = t("anyway.wrong.reason");
    if (Object.keys(faults).length) { say(faults, null); return; }
    try {
      const opened = await post(`/api/residents/${id}/open-anyway`, { kind, reason: reason.trim() });
      store.go(`people/${id}`);
      setTimeout(() => store.tell(t("anyway.opened", { time: clock(opened.until) })), 50);
    } catch (error) {
      const said = faultsOf(error);
      say(said.faults, said.general);
    }
  };
  /** @param {string} icon @param {string} key */
  const line = (icon, key) => html`<li><${Icon} name=${icon} /><div>${t(`anyway.${key}`)}<small>${t(`anyway.${key}_why`)}</small></div></li>`;
  return html`<main id="main">${back}<div class="top"><h1 tabindex="-1" ref=${heading}>${t("anyway.title")}</h1><p>${t("anyway.whom", { name, unit: closed.unit_name })}</p></div>
    <div class="stopbox"><b><${Icon} name="unlock" />${t("anyway.no_mission", { name })}</b><p>${t("anyway.only_if")}</p></div><${Faults} ...${wrong} />
    <div class="cols lead"><form class="form" data-edited data-test="anyway-form" onSubmit=${(/** @type {Event} */ e) => e.preventDefault()}>
      <${Radios} legend=${t("anyway.why")} name="kind" error=${wrong.faults.kind} value=${kind} set=${setKind} options=${KINDS.map((one) => ({ value: one, text: t(`anyway.kind.${one}`) }))} />
      <${Text} id="reason" label=${t("anyway.happened")} value=${reason} set=${setReason} lines=${4} max=${1000} error=${wrong.faults.reason} />
      <div class="foot"><${Btn} kind="btn go" icon="unlock" test="anyway-open" act=${open}>${t("anyway.open")}<//><a class="btn" href=${`#/people/${id}`}>${t("common.cancel")}</a></div></form>
    <aside aria-label=${t("anyway.so")}><section class="panel"><h2>${t("anyway.see")}</h2><ul class="have">${line("check", "see_card")}${line("x", "see_no_camera")}</ul></section>
      <section class="panel"><h2>${t("anyway.then")}</h2><ul class="have">${line("people", "then_head")}${line("eye", "then_review")}</ul></section></aside></div></main>`;
}
