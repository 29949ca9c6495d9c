// A planned visit is moved, handed over or cancelled.
import { html, useState } from "../lib/preact.js";
import { get, post } from "../core/api.js";
import { clock, t } from "../core/i18n.js";
import * as store from "./store.js";
import { Btn, Choice, Loading, Text, useFetched } from "./ui.js";
import { instant, isoDay } from "./when.js";

/** @typedef {import("../core/wire").VisitRow} VisitRow */

/** @param {{row: VisitRow, done: () => void}} props */
export function Change({ row, done }) {
  const found = useFetched(() => get(`/api/visits/${row.id}/hand-over`), [row.id]);
  const choice = /** @type {{not_to: string[]}|null} */ (found.value);
  // Whoever has stated a relation to her is not suggested.
  const colleagues = choice && store.me.value ? store.me.value.colleagues.filter((one) => !choice.not_to.includes(one.id)) : [];
  const [start, setStart] = useState(clock(row.starts_at));
  const [chosen, setChosen] = useState("");
  const to = chosen || (colleagues.length ? colleagues[0].id : "");
  const [reason, setReason] = useState("");
  /** @param {string} what @param {object} body @param {string} text */
  const save = async (what, body, text) => {
    await post(`/api/visits/${row.id}/${what}`, body);
    store.tell(text);
    done();
  };
  const wrong = !/^([01]\d|2[0-3]):[0-5]\d$/.test(start);
  return html`<div class="change" data-test="change">
    ${store.mayPlan.value && html`<div class="row wrap end"><${Text} id=${`start-${row.id}`} label=${t("change.start")} value=${start} set=${setStart} mode="numeric" error=${wrong ? t("form.time_wrong") : ""} />
      <${Btn} icon="clock" test="move" disabled=${wrong} act=${() => save("move", { starts_at: instant(isoDay(row.starts_at), start) }, t("change.moved", { name: row.resident_name, time: start }))}>${t("change.move")}<//></div>`}
    ${!choice && html`<${Loading} error=${found.error} again=${found.again} />`}
    ${colleagues.length > 0 && html`<div class="row wrap end"><${Choice} id=${`to-${row.id}`} label=${t("change.to")} value=${to} set=${setChosen} options=${colleagues.map((one) => ({ value: one.id, text: one.name }))} />
      <${Btn} icon="swap" test="hand-over" act=${() => save("hand-over", { staff_id: to }, t("change.handed_over", { name: row.resident_name }))}>${t("change.hand_over")}<//></div>`}
    ${store.mayPlan.value && html`<div class="row wrap end"><${Text} id=${`reason-${row.id}`} label=${t("change.reason")} value=${reason} set=${setReason} />
      <${Btn} icon="x" test="cancel" disabled=${!reason.trim()} act=${() => save("cancel", { reason: reason.trim() }, t("change.cancelled", { name: row.resident_name }))}>${t("change.cancel")}<//></div>`}
    <div class="row"><a class="btn" href=${`#/people/${row.resident_id}`}>${t("common.card")}</a><${Btn} act=${done}>${t("common.close")}<//></div></div>`;
}
