// Sentences that are ready to be shown on her TV, in her language.
import { html } from "../lib/preact.js";
import { t } from "../core/i18n.js";

const READY = ["1", "2", "3", "4", "5", "6"];

/** @param {{language: string, say: (line: string) => void}} props */
export const ReadyLines = ({ language, say }) => html`<ul class="ready" aria-label=${t("call.ready")}>${READY.map((n) => html`<li key=${n}><button type="button" lang=${language} onClick=${() => say(t(`ready.${language}.${n}`))}>${t(`ready.${language}.${n}`)}</button></li>`)}</ul>`;
