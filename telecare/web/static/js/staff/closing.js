// How a home visit ended: one of the municipality's outcomes, or her own words.
import { html, useState } from "../lib/preact.js";
import { t } from "../core/i18n.js";
import { close } from "./drive.js";
import * as store from "./store.js";
import { Btn, Radios, Text } from "./ui.js";

/** Among the ids of the outcomes. */
const OWN_WORDS = "own_words";

/** @param {{id: string, name: string}} props */
export function Outcome({ id, name }) {
  const outcomes = store.me.value ? store.me.value.outcomes : [];
  const [chosen, setChosen] = useState("");
  const [words, setWords] = useState("");
  const [nobody, setNobody] = useState(false);
  const mayChoose = outcomes.length > 0;
  const one = outcomes.find((each) => each.id === chosen);
  const writes = !mayChoose || chosen === OWN_WORDS;
  const outcome = (writes ? words.trim() : one ? one.name : "") || (nobody ? t("dispatch.nobody_there") : "");
  const field = writes && html`<${Text} id=${`out-${id}`} label=${t(mayChoose ? "dispatch.own_words" : "dispatch.outcome")} value=${words} set=${setWords} lines=${2} />`;
  const options = [...outcomes.map((each) => ({ value: each.id, text: each.name })), { value: OWN_WORDS, text: t("dispatch.other") }];
  return html`${mayChoose ? html`<${Radios} legend=${t("dispatch.outcome")} name=${`outcome-${id}`} value=${chosen} set=${setChosen} options=${options}>${field}<//>` : field}
    <label class="opt"><input type="checkbox" data-test="nobody-there" checked=${nobody} onChange=${() => setNobody(!nobody)} /><span class="b">${t("dispatch.nobody_there")}<small>${t("dispatch.nobody_why")}</small></span></label>
    <div class="row"><${Btn} kind="btn go" test="dispatch-close" disabled=${!outcome} act=${() => close(id, outcome, nobody ? "nobody" : "somebody", name)}>${t("dispatch.close")}<//></div>`;
}
