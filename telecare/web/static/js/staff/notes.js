// What people have written about somebody, and how a wrong text is put right: struck through, never gone.
import { html, useState } from "../lib/preact.js";
import { get, post } from "../core/api.js";
import { firstOf, t } from "../core/i18n.js";
import { Icon } from "./icons.js";
import * as store from "./store.js";
import { Btn, Loading, Text, useFetched } from "./ui.js";
import { whenText } from "./when.js";

/** @typedef {{kind: string, id: string, text: string, by: string, at: string, may_correct: boolean}} Note */
/** @typedef {{id: string, kind: string, old_text: string, new_text: string|null, why: string, by: string, at: string, moved_here: boolean}} Corrected */
/** @typedef {{id: string, name: string, unit_name: string}} FoundPerson */

/** @param {string} kind */
const what = (kind) => firstOf([`notes.${kind}`, "notes.other"]);

/** @param {{id: string, name: string, changed: () => Promise<void>}} props */
export function Notes({ id, name, changed }) {
  const found = useFetched(() => get(`/api/residents/${id}/notes`), [id]);
  const list = /** @type {{notes: Note[], corrected: Corrected[]}|null} */ (found.value);
  const at = store.now.value;
  const again = async () => { await Promise.all([found.again(), changed()]); };
  return html`<section class="panel" data-test="notes"><h2>${t("notes.title")}</h2>
    ${!list && html`<${Loading} error=${found.error} again=${found.again} />`}
    ${list && !list.notes.length && !list.corrected.length && html`<p class="soft">${t("notes.none")}</p>`}
    ${list && list.notes.length > 0 && html`<ul class="have">${list.notes.map((one) => html`<li class="written" key=${`${one.id} ${one.text}`} data-test="note-row" data-kind=${one.kind}><${Icon} name="note" /><${Row} note=${one} name=${name} again=${again} /></li>`)}</ul>`}
    ${list && list.corrected.length > 0 && html`<h3 class="sub">${t("notes.corrected")}</h3><ul class="have">${list.corrected.map((one) => html`<li class="written" key=${one.id} data-test="corrected" data-moved=${String(one.moved_here)}><${Icon} name=${one.moved_here ? "right" : "x"} /><div>${one.moved_here ? html`<b>${one.new_text || one.old_text}</b>` : html`<del>${one.old_text}</del>${one.new_text && html` <ins>${one.new_text}</ins>`}`}
      <small>${what(one.kind)}. ${t(one.moved_here ? "notes.moved_here" : "notes.corrected_by", { name: one.by || t("protected.name"), time: whenText(one.at, at) })} ${one.why}</small></div></li>`)}</ul>`}</section>`;
}

/** @param {{note: Note, name: string, again: () => Promise<void>}} props */
function Row({ note, name, again }) {
  const [open, setOpen] = useState(false);
  const facts = [what(note.kind), note.by, note.kind === "to_know" ? "" : whenText(note.at, store.now.value)].filter(Boolean).join(", ");
  return html`<div>${note.text}<small>${facts}</small>
    ${open ? html`<${Form} note=${note} name=${name} again=${again} done=${() => setOpen(false)} />`
    : note.may_correct && html`<button type="button" class="btn small" data-test="correct" aria-label=${t("notes.correct_what", { text: note.text })} onClick=${() => setOpen(true)}>${t("notes.correct")}</button>`}</div>`;
}

/** @param {{note: Note, name: string, again: () => Promise<void>, done: () => void}} props */
function Form({ note, name, again, done }) {
  const [why, setWhy] = useState("");
  const [text, setText] = useState("");
  const [other, setOther] = useState(false);
  const [q, setQ] = useState("");
  const [right, setRight] = useState(/** @type {FoundPerson|null} */ (null));
  const people = useFetched(() => (other && q.trim().length > 1 ? post("/api/residents/search", { q: q.trim().slice(0, 80), limit: 8 }) : Promise.resolve({ items: [] })), [other, q.trim()]);
  const items = /** @type {FoundPerson[]} */ (people.value ? people.value.items : []);
  const key = `${note.kind}-${note.id}`;
  const save = async () => {
    await post("/api/corrections", { kind: note.kind, about_id: note.id, old_text: note.text, why: why.trim(), new_text: text.trim(), right_resident_id: right ? right.id : undefined });
    done();
    await again();
  };
  return html`<form class="correct" data-edited data-test="correct-form" onSubmit=${(/** @type {Event} */ e) => e.preventDefault()}>
    <${Text} id=${`${key}-why`} label=${t("notes.why")} value=${why} set=${setWhy} max=${200} />
    <${Text} id=${`${key}-text`} label=${t("notes.right_text")} hint=${t("notes.right_text_hint")} value=${text} set=${setText} lines=${2} max=${2000} />
    ${!other && html`<p><button type="button" class="btn small" data-test="correct-other" onClick=${() => setOther(true)}>${t("notes.other_person", { name })}</button></p>`}
    ${other && (right ? html`<p class="chosen"><b data-test="correct-right">${t("notes.about", { name: right.name })}</b> <button type="button" class="btn small" onClick=${() => setRight(null)}>${t("notes.other_again")}</button></p>`
    : html`<${Text} id=${`${key}-q`} label=${t("people.search")} value=${q} set=${setQ} max=${80} /><ul class="results">${items.map((one) => html`<li key=${one.id}><button type="button" class="btn" data-test="correct-person" onClick=${() => setRight(one)}>${one.name}</button></li>`)}</ul>`)}
    <div class="row wrap"><${Btn} kind="btn go" test="correct-save" disabled=${why.trim().length < 3} act=${save}>${t("notes.save")}<//><button type="button" class="btn" onClick=${done}>${t("common.cancel")}</button></div></form>`;
}
