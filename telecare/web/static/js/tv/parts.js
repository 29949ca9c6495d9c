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
