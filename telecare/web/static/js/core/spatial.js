// Arrow keys move focus to the nearest focusable in that direction. One screen, one group; no library.
/** @type {{[key: string]: [number, number]}} */
const KEYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const BACK = new Set(["Escape", "Backspace", "GoBack", "BrowserBack", "XF86Back"]);
/** @type {{[code: number]: string}} */
const LEGACY = { 37: "ArrowLeft", 38: "ArrowUp", 39: "ArrowRight", 40: "ArrowDown", 13: "Enter", 27: "Escape", 461: "GoBack", 10009: "GoBack" };
const QUIET = new Set(["AudioVolumeUp", "AudioVolumeDown", "AudioVolumeMute", "VolumeUp", "VolumeDown", "VolumeMute", "Power", "PowerOff", "Standby", "WakeUp"]);
const QUIET_CODES = new Set([173, 174, 175, 181, 182, 183, 447, 448, 449, 409, 65, 10253]);

/** Key name from any remote: webOS back is 461, Tizen back is 10009, older engines report only keyCode.
 * @param {KeyboardEvent} e @returns {string} */
export const keyOf = (e) => (e.key && e.key !== "Unidentified" ? e.key : LEGACY[e.keyCode] || "");
/** @param {string} key */
export const isBack = (key) => BACK.has(key);
/** Volume and power never do anything in the page. @param {KeyboardEvent} e */
export const isVolumeOrPower = (e) => {
  const key = keyOf(e);
  return key ? QUIET.has(key) : QUIET_CODES.has(e.keyCode);
};

/**
 * Nearest candidate to `from` in direction [dx, dy]; sideways distance counts double.
 * @param {DOMRect} from @param {DOMRect[]} rects @param {[number, number]} direction @returns {number}
 */
export function nearest(from, rects, [dx, dy]) {
  /** @param {DOMRect} r @returns {[number, number]} */
  const c = (r) => [r.left + r.width / 2, r.top + r.height / 2];
  const [fx, fy] = c(from);
  let best = -1;
  let cost = Infinity;
  rects.forEach((r, i) => {
    const [x, y] = c(r);
    const along = (x - fx) * dx + (y - fy) * dy;
    const aside = Math.abs((x - fx) * dy) + Math.abs((y - fy) * dx);
    if (along > 1 && along + 2 * aside < cost) { cost = along + 2 * aside; best = i; }
  });
  return best;
}

/** @returns {HTMLElement[]} */
const focusables = () => Array.from(/** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("button:not([disabled]), a[href], [tabindex='0']"))).filter((n) => n.offsetParent);

/** Exactly one thing has focus: the marked one, or the first. */
export function focusFirst() {
  const all = focusables();
  const here = /** @type {HTMLElement} */ (document.activeElement);
  if (all.includes(here)) return;
  const wanted = all.find((n) => n.hasAttribute("data-first")) || all[0];
  if (wanted) wanted.focus({ preventScroll: true });
}

/** Moves focus for an arrow key. @param {string} key @returns {boolean} */
export function move(key) {
  const dir = KEYS[key];
  if (!dir) return false;
  const all = focusables();
  const here = /** @type {HTMLElement} */ (document.activeElement);
  if (!all.includes(here)) { focusFirst(); return true; }
  const others = all.filter((n) => n !== here);
  const i = nearest(here.getBoundingClientRect(), others.map((n) => n.getBoundingClientRect()), dir);
  if (i >= 0) others[i].focus({ preventScroll: true });
  return true;
}
