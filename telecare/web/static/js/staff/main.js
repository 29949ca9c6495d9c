// The staff page: frame, routes, lock.
import { html, render, useEffect, useRef, useState } from "../lib/preact.js";
import { post } from "../core/api.js";
import { bootValues, clock, duration, t } from "../core/i18n.js";
import { Icon } from "./icons.js";
import { CallPage } from "./call.js";
import { Later, Part, later } from "./later.js";
import * as store from "./store.js";
import { Queue, Today } from "./today.js";
import { Btn, Loading, NoticeBox } from "./ui.js";

const NAV = [{ at: "", icon: "day", key: "today.title", small: "nav.visits" }, { at: "waiting", icon: "bell", key: "nav.waiting", small: "nav.alarms" }, { at: "people", icon: "people", key: "people.title", small: "people.title" }, { at: "devices", icon: "plug", key: "nav.devices", small: "nav.devices" }];

/** @param {{here: string, kind: string}} props */
const Links = ({ here, kind }) => [...NAV.map((one) => html`<a key=${one.at} href=${`#/${one.at}`} data-test=${`nav-${one.at || "today"}`} aria-current=${here === one.at ? "page" : undefined}><${Icon} name=${one.icon} /><span>${t(kind === "small" ? one.small : one.key)}</span>${one.at === "waiting" && store.unanswered.value > 0 && html`<b class="n">${store.unanswered.value}<span class="vh"> ${t("nav.unanswered")}</span></b>`}</a>`), store.me.value && store.me.value.may.includes("look") && html`<a key="night" href="#/night" data-test="nav-night"><${Icon} name="eye" /><span>${t("nav.night")}</span></a>`, store.keepsSomething.value && html`<a key="admin" href="/admin" data-test="nav-admin"><${Icon} name="list" /><span>${t(kind === "small" ? "nav.admin_small" : "nav.admin")}</span></a>`];

/** Who I am, sound, shift, out. */
function Mine() {
  const me = store.me.value;
  if (!me) return null;
  return html`<div class="me"><p><b>${me.name}</b><small>${me.shift ? t("shift.on", { unit: me.unit_name }) : t("shift.off")}</small></p>
    ${me.shift && !store.soundOn.value && html`<${Btn} kind="btn small" icon="sound" test="sound" act=${store.unlockSound}>${t("shift.sound")}<//>`}
    ${me.shift && html`<a class="btn small" data-test="shift-list" href="/shift/list">${t("shift.list")}</a>`}
    ${me.shift && html`<${Btn} kind="btn small" test="end-shift" act=${store.endShift}>${t("shift.end")}<//>`}
    <a class="btn small" data-test="relations" href="/me/relations">${t("shift.relations")}</a>
    <${Btn} kind="btn small" test="sign-out" act=${store.signOut}>${t("shift.sign_out")}<//></div>`;
}

/** No contact with the server, or a call of mine in another window. */
function Strips() {
  const other = store.starting.value ? null : store.elsewhere.value;
  const waiting = store.waiting.value.filter((row) => !row.taken_by).length;
  const ends = store.endsSoon.value;
  const offered = store.handOvers.value.find(store.toMe);
  const elsewhere = !["", "waiting"].includes(store.route.value.path[0] || "");
  return html`<div role="status" class="strips">${store.live.contact.value === "trying" && html`<p class="strip lost" data-test="no-contact"><${Icon} name="plug" /><b>${t("live.no_contact")}</b></p>`}
    ${other && html`<div class="strip" data-test="call-elsewhere"><${Icon} name="video" /><b>${t("call.running", { name: other.resident_name })}</b><${Btn} kind="btn go" act=${() => store.continueHere(other.call_id)}>${t("call.continue_here")}<//></div>`}
    ${ends && html`<div class="strip" data-test="ends-soon"><${Icon} name="clock" /><b>${t(store.call.value ? "session.ends_after_call" : "session.ends", { time: clock(ends) })}</b>${!store.call.value && html`<${Btn} kind="btn" test="sign-in-anew" act=${store.signOut}>${t("session.anew")}<//>`}</div>`}
    ${store.receivers.value && !(store.receivers.value.names.length && !store.receivers.value.records_owed) && html`<${Part} from="alarm" name="Trouble" given=${{ row: store.receivers.value }} />`}
    ${(elsewhere ? store.calling.value : []).slice(0, 1).map((row) => html`<${Part} key=${row.id} from="alarm" name="Strip" given=${{ row }} />`)}
    ${elsewhere && offered && html`<div class="strip" data-test="offered-strip"><${Icon} name="swap" /><b>${t("queue.offered", { name: offered.from_name })}</b><a class="btn" href="#/">${t("common.to_today")}</a></div>`}
    ${elsewhere && waiting > 0 && html`<div class="strip" data-test="waiting-strip"><${Icon} name="phone" /><b>${t("queue.waiting", { n: waiting })}</b><a class="btn" href="#/">${t("common.to_today")}</a></div>`}</div>`;
}

/** Nothing about anybody; only that someone waits. */
function Locked() {
  const heading = useRef(/** @type {HTMLElement|null} */ (null));
  const waits = store.waitingWhileLocked.value;
  useEffect(() => {
    document.title = `${t("lock.title")} – Telecare`;
    if (heading.current) heading.current.focus();
  }, []);
  const unlock = async () => {
    await store.unlockSound();
    if (bootValues().demo) await post("/api/unlock");
    else await (await import("./passkey.js")).signIn();
    await store.unlocked();
  };
  const oldest = waits.length ? Math.min(...waits.map((one) => Date.parse(one.since))) : 0;
  return html`<div class="gate"><header class="brand">Telecare</header><main id="main"><div class="panel"><h1 tabindex="-1" ref=${heading}>${t("lock.title")}</h1><p class="soft">${t("lock.why")}</p><${NoticeBox} />
    ${waits.length > 0 && html`<p class="strip" role="alert" data-test="locked-waiting"><${Icon} name="phone" /><b>${t("lock.waiting", { n: waits.length, time: duration(store.now.value - oldest) })}</b></p>`}
    <${Btn} kind="btn go big last" icon="unlock" test="unlock" act=${unlock}>${t(bootValues().demo ? "lock.unlock" : "lock.unlock_passkey")}<//><${Part} from="offline" name="WhileLocked" given=${{}} /></div></main><footer></footer></div>`;
}

/** @param {string[]} path @param {URLSearchParams} query */
function page(path, query) {
  const id = path[1];
  if (path[0] === "call" && id) return html`<${CallPage} id=${id} />`;
  if (path[0] === "alarm" && id) return html`<${Later} key=${id} from="alarm" name="AlarmPage" given=${{ id }} />`;
  if (path[0] === "after" && id) return html`<${Later} key=${id} from="after" name="AfterPage" given=${{ id }} />`;
  if (path[0] === "plan" && store.mayPlan.value) return html`<${Later} from="forms" name="PlanPage" given=${{ resident: query.get("resident") }} />`;
  if (path[0] === "people" && path[2] === "consent") return html`<${Later} key="consent" from="forms" name="ConsentPage" given=${{ id }} />`;
  if (path[0] === "people" && path[2] === "anyway") return html`<${Later} key="anyway" from="anyway" name="AnywayPage" given=${{ id }} />`;
  if (path[0] === "people" && id) return html`<${Later} key="card" from="people" name="CardPage" given=${{ id, letters: query.get("letters") || "" }} />`;
  if (path[0] === "devices") return html`<${Later} key="devices" from="devices" name="DevicesPage" given=${{}} />`;
  if (path[0] === "night") return html`<${Later} key="night" from="night" name="NightPage" given=${{}} />`;
  if (path[0] === "patrol") return html`<${Later} key="patrol" from="patrol" name="PatrolPage" given=${{}} />`;
  if (path[0] === "waiting") return html`<${Later} key="waiting" from="waiting" name="WaitingPage" given=${{}} />`;
  if (path[0] === "end-shift") return html`<${Later} key="end-shift" from="shift" name="EndPage" given=${{}} />`;
  if (path[0] === "taken-over" && store.mayLead.value) return html`<${Later} key="taken-over" from="people" name="TakenOverPage" given=${{}} />`;
  // A TV's QR code leads here: whose TV is it?
  if (path[0] === "people" || path[0] === "tv") return html`<${Later} key="people" from="people" name="PeoplePage" given=${{ letters: path[0] === "tv" ? id : "" }} />`;
  return html`<${Today} />`;
}

function App() {
  const { path, query } = store.route.value;
  const dark = !store.locked.value && ["call", "after", "night", "patrol"].includes(path[0]);
  const [error, setError] = useState("");
  const load = () => store.loadMe().then(() => { setError(""); later("alarm").catch(() => {}); }, (fault) => { store.complain(fault); setError(store.notice.value ? store.notice.value.text : ""); });
  useEffect(() => { load(); }, []);
  useEffect(() => { document.body.classList.toggle("dark", dark); }, [dark]);
  if (store.locked.value) return html`<${Locked} />`;
  if (!store.me.value) return html`<main id="main"><h1 class="vh">Telecare</h1><${Loading} error=${error || null} again=${load} />${error && html`<${Part} from="offline" name="Kept" given=${{}} />`}</main>`;
  const why = store.asking.value && html`<${Part} from="relation" name="Why" given=${store.asking.value} />`;
  if (dark) return html`<${Strips} />${why}${page(path, query)}`;
  const here = { tv: "people", alarm: "waiting" }[path[0]] || path[0] || "";
  const today = !path.length;
  return html`<div class=${today ? "app" : "app two"}><nav class="rail" aria-label=${t("nav.main")}><p class="brand">Telecare</p><${Links} here=${here} kind="full" /><${Mine} /></nav>
    <div class="page">${why}<${Strips} />${today && html`<${NoticeBox} />`}${page(path, query)}<footer class="me-small"><${Mine} /></footer></div>${today && html`<${Queue} />`}</div>
    <nav class="tabbar" aria-label=${t("nav.quick")}><${Links} here=${here} kind="small" /></nav>`;
}

const root = document.getElementById("app");
if (root) {
  root.textContent = "";
  render(html`<${App} />`, root);
  store.live.start();
}
