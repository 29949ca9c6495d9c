// What tests/flows/look.py asks of a page. Loaded by the test, past the page's content security policy.
window.look = (() => {
  const style = n => getComputedStyle(n);
  const seen = n => {
    const r = n.getBoundingClientRect();
    if (r.width < 2 || r.height < 2 || style(n).visibility === "hidden") return false;
    return !n.closest(".vh, [hidden], [aria-hidden=true]");
  };
  const label = n => `${n.tagName.toLowerCase()}.${n.className && n.className.baseVal === undefined
    ? n.className : ""} "${(n.textContent || n.getAttribute("aria-label") || "").trim().slice(0, 40)}"`;
  const controls = () => [...document.querySelectorAll(
    "button:not([disabled]), a[href], input:not([disabled]), select, textarea, summary")]
    .filter(n => n.getClientRects().length && style(n).visibility !== "hidden");
  const sizes = isTv => {
    const faults = [];
    const root = document.scrollingElement;
    if (root.scrollWidth > root.clientWidth) {
      const wide = [...document.querySelectorAll("body *")]
        .filter(n => seen(n) && n.getBoundingClientRect().right > root.clientWidth + 1);
      faults.push(`scrolls sideways: ${wide.slice(0, 3).map(label).join(", ")}`);
    }
    if (document.querySelector(".live") && innerWidth > 900 && root.scrollHeight > innerHeight)
      faults.push("the call is higher than the screen");
    const pieces = [];
    const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walk.nextNode()) {
      const node = walk.currentNode, n = node.parentElement;
      if (!node.data.trim() || !n || !seen(n) || n.closest("script, noscript, option")) continue;
      const range = document.createRange();
      range.selectNodeContents(node);
      // The letters' own height: a line's box may be higher than the line is.
      const high = 0.7 * parseFloat(style(n).fontSize);
      // What is written in a call grows upwards out of its box; its newest line must be in it.
      const words = n.closest(".words");
      const all = [...range.getClientRects()];
      if (words) {
        const box = words.getBoundingClientRect(), newest = all[all.length - 1];
        if (!n.closest(".before") && (newest.top + newest.bottom + high) / 2 > box.bottom + 1) faults.push("the newest words are cut");
      }
      for (const box of words ? all.slice(-1) : all) {
        const top = box.top + (box.height - high) / 2;
        pieces.push({n, r: {left: box.left, right: box.right, top, bottom: top + high, height: high}});
      }
      for (let box = n; box && box !== document.body; box = box.parentElement) {
        const how = style(box);
        const cut = ["hidden", "clip"].includes(how.overflowX);
        if (cut && box.scrollWidth > box.clientWidth + 1) faults.push(`cut at the side: ${label(n)}`);
        const low = ["hidden", "clip"].includes(how.overflowY) && !box.matches(".words, .before");
        if (low && box.scrollHeight > box.clientHeight + 2 && box.clientHeight)
          faults.push(`cut below: ${label(n)}`);
      }
    }
    const scrolls = root.scrollHeight > root.clientHeight && style(document.body).overflowY !== "hidden";
    for (const {n, r} of pieces) {
      const out = r.right > innerWidth + 1 || r.left < -1 || (!scrolls && isTv && (r.bottom > innerHeight + 1 || r.top < -1));
      if (out) faults.push(`outside the screen: ${label(n)}`);
    }
    for (const n of controls().filter(seen)) {
      const r = n.getBoundingClientRect();
      if (isTv && !scrolls && (r.right > innerWidth + 1 || r.bottom > innerHeight + 1 || r.top < -1))
        faults.push(`control outside the screen: ${label(n)}`);
      if (["BUTTON", "A"].includes(n.tagName) && n.scrollWidth > n.clientWidth + 1 && n.clientWidth)
        faults.push(`words wider than their control: ${label(n)}`);
      const near = n.closest("label") ? n.closest("label").getBoundingClientRect() : r;
      const inline = n.tagName === "A" && style(n).display === "inline";
      if (!inline && (near.width < 24 || near.height < 24))
        faults.push(`smaller than 24 px: ${label(n)} ${Math.round(near.width)}x${Math.round(near.height)}`);
    }
    const floats = n => { for (let x = n; x; x = x.parentElement)
      if (["fixed", "sticky"].includes(style(x).position)) return true; return false; };
    const solid = pieces.filter(p => !floats(p.n));
    for (let i = 0; i < solid.length; i++) for (let j = i + 1; j < solid.length; j++) {
      const a = solid[i], b = solid[j];
      if (a.n === b.n || a.n.contains(b.n) || b.n.contains(a.n)) continue;
      const w = Math.min(a.r.right, b.r.right) - Math.max(a.r.left, b.r.left);
      const h = Math.min(a.r.bottom, b.r.bottom) - Math.max(a.r.top, b.r.top);
      if (w > 3 && h > 0.35 * Math.min(a.r.height, b.r.height))
        faults.push(`over each other: ${label(a.n)} and ${label(b.n)}`);
    }
    return [...new Set(faults)];
  };
  const focused = () => controls().indexOf(document.activeElement);
  const stops = () => {
    // Radios of one name are one stop: the arrow keys choose within.
    const groups = new Map();
    return controls().map((n, i) => {
      if (n.type !== "radio") return [i, label(n)];
      if (!groups.has(n.name)) groups.set(n.name, i);
      return [groups.get(n.name), `radio ${n.name}`];
    });
  };
  const focusShows = () => {
    const here = document.activeElement;
    if (!controls().includes(here)) return ["nothing has focus"];
    const shown = here.closest(".vh") || style(here).boxShadow !== "none"
      || style(here).outlineStyle !== "none";
    return shown ? [] : [`focus does not show on ${label(here)}`];
  };
  const focusOn = i => { if (i >= 0) controls()[i].focus(); };
  const axe = async rules => {
    const found = await window.axe.run(document, {runOnly: {type: "tag", values: rules}});
    return found.violations.flatMap(v => v.nodes.map(n =>
      `${v.id}: ${n.target.join(" ")} ${(n.failureSummary || "").split("\n")[1] || ""}`));
  };
  return {sizes, focused, stops, focusShows, focusOn, axe};
})();
