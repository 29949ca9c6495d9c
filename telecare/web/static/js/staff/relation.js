// She has stated that she is related to this person: why does she need to? Then she may.
import { html, useEffect, useRef, useState } from "../lib/preact.js";
import { post, sentence } from "../core/api.js";
import { t } from "../core/i18n.js";
import * as store from "./store.js";
import { Btn, Text } from "./ui.js";

/** @param {{id: string, done: (said: boolean) => void}} props */
export function Why({ id, done }) {
  const box = useRef(/** @type {HTMLDialogElement|null} */ (null));
  const [reason, setReason] = useState("");
  const [error, setError] = useState("");
  const stated = store.me.value && store.me.value.relations.find((one) => one.resident_id === id);
  useEffect(() => { if (box.current) box.current.showModal(); }, []);
  const say = async () => {
    try { await post(`/api/residents/${id}/reason`, { reason: reason.trim() }); } catch (fault) { setError(sentence(fault)); return; }
    done(true);
  };
  return html`<dialog class="panel why-dialog" ref=${box} aria-labelledby="why-title" data-test="why" onCancel=${() => done(false)}>
    <h2 id="why-title">${stated ? t(`why.${stated.kind}`, { name: stated.given_name || t("protected.name") }) : t("why.stated")}</h2>
    <${Text} id="why-reason" label=${t("why.question")} hint=${t("why.hint")} value=${reason} set=${setReason} lines=${2} max=${200} error=${error} />
    <div class="row"><${Btn} kind="btn go" test="why-say" disabled=${reason.trim().length < 3} act=${say}>${t("why.say")}<//><${Btn} test="why-not" act=${() => done(false)}>${t("common.cancel")}<//></div></dialog>`;
}
