// The camera's state, and the way home. ES2019 only (Chromium 79).
import { html } from "../lib/preact.js";
import { t } from "../core/i18n.js";
import { Icon } from "../core/icons.js";
import * as state from "./state.js";

export function CameraChip() {
  const now = state.cameras();
  return html`<span class=${now === "on" ? "chip live" : "chip"} data-test="camera-chip"><${Icon} name=${now === "on" ? "video" : "off"} />${t(`tv.camera.${now}`)}</span>`;
}

export function goHome() {
  state.problem.value = "";
  state.screen.value = "home";
}

export const BackKey = () => html`<button type="button" class="key" data-first data-test="back" onClick=${goHome}><${Icon} name="back" />${t("tv.back")}</button>`;

/** @param {import("../core/wire").NextThing} thing */
export function ringsText(thing) {
  const who = thing.who;
  if (thing.state === "late") return who ? t("tv.next.late", { name: who }) : t("tv.next.late_unit");
  if (thing.state === "moved") return who ? t("tv.next.moved", { name: who }) : t("tv.next.moved_unit");
  if (thing.state === "taken_over") return who ? t("tv.next.taken_over", { name: who }) : t("tv.next.rings_unit");
  return who ? t("tv.next.rings", { name: who }) : t("tv.next.rings_unit");
}
