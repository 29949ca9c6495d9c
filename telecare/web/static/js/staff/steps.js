// What is done instead, when a visit did not come about.
import { html, useState } from "../lib/preact.js";
import { post } from "../core/api.js";
import { clock, t } from "../core/i18n.js";
import * as store from "./store.js";
import { Btn, Text } from "./ui.js";
import { instant, isoDay } from "./when.js";

/** @typedef {import("../core/wire").VisitRow} VisitRow */

/** The choices after a visit that did not come about. @param {{row: VisitRow}} props */
export function Steps({ row }) {
  const [at, setAt] = useState("");
  /** @param {string} step @param {object} [more] */
  const save = async (step, more) => {
    await post(`/api/visits/${row.id}/step`, { step, ...more });
    store.tell(t("steps.saved", { step: t(`step.${step}`), name: row.resident_name }));
    if (store.route.value.path[0] === "after") store.go("");
  };
  const again = () => save("ring_again", { at: instant(isoDay(store.now.value), at) });
  const wrong = at !== "" && !/^([01]\d|2[0-3]):[0-5]\d$/.test(at);
  return html`<div class="steps" role="group" aria-label=${t("steps.title")} data-test="steps">
    <p class="hint">${row.overdue_at ? t("steps.overdue", { time: clock(row.overdue_at) }) : t("steps.title")}</p>
    <div class="row wrap">
      <${Btn} kind="btn go" icon="video" test="step-ring-now" act=${() => store.ringVisit(row.id)}>${t("steps.ring_now")}<//>
      <${Btn} icon="go" test="step-home_visit" act=${() => save("home_visit")}>${t("step.home_visit")}<//>
      <${Btn} icon="phone" test="step-talked_by_phone" act=${() => save("talked_by_phone")}>${t("step.talked_by_phone")}<//>
      <${Btn} icon="day" test="step-known_absence" act=${() => save("known_absence")}>${t("step.known_absence")}<//>
    </div>
    <div class="row wrap end"><${Text} id=${`again-${row.id}`} label=${t("steps.at")} value=${at} set=${setAt} mode="numeric" placeholder="15:30" error=${wrong ? t("form.time_wrong") : ""} />
      <${Btn} icon="clock" test="step-ring_again" disabled=${wrong || at === ""} act=${again}>${t("step.ring_again")}<//></div></div>`;
}
