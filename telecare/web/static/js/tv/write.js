// Her own words in a call, on a screen that is touched: they go straight to the other end and stand nowhere else.
import { html, useEffect, useRef, useState } from "../lib/preact.js";
import { bootValues, t } from "../core/i18n.js";

const sheet = document.createElement("link");
sheet.rel = "stylesheet";
sheet.href = `${bootValues().static}/css/tv-write.css`;
document.head.appendChild(sheet);

/** Each keystroke is seen; Enter ends the line. @param {{end: import("../core/call.js").CallEnd, name: string}} props */
export function OwnWords({ end, name }) {
  const [open, setOpen] = useState(false);
  const [text, setText] = useState("");
  const field = useRef(/** @type {HTMLInputElement|null} */ (null));
  useEffect(() => { if (open && field.current) field.current.focus(); }, [open]);
  /** @param {Event} e */
  const say = (e) => {
    e.preventDefault();
    if (text.trim()) end.say(text.trim());
    setText("");
  };
  const close = () => {
    end.clearText();
    setText("");
    setOpen(false);
  };
  if (!open) return html`<div class="own"><button type="button" class="key" data-test="own-open" onClick=${() => setOpen(true)}>${t("tv.call.write")}</button></div>`;
  return html`<form class="own" onSubmit=${say}><label for="own">${t("tv.call.write_to", { name })}</label>
    <input id="own" ref=${field} tabindex="0" data-test="own" value=${text} maxlength="500" autocomplete="off" onInput=${(/** @type {Event} */ e) => { const value = /** @type {HTMLInputElement} */ (e.target).value; setText(value); end.typed(value); }} />
    <button type="submit" class="key" data-test="own-say">${t("tv.call.write_done")}</button><button type="button" class="key" data-test="own-close" onClick=${close}>${t("tv.call.write_close")}</button></form>`;
}
