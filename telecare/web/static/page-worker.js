// Service worker of a page that must start without the network: the TV's, and the staff page of her who is out in a stairwell.
// Served as /tv-worker.js and /staff-worker.js. Keeps the page and its files; never an answer of the API. ES2019 only.
const PAGE = new URL(self.registration.scope).pathname;
const CACHE = ["telecare", PAGE.slice(1), "1"].filter(Boolean).join("-");
const PAGE_PATIENCE_MS = 4000;

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("message", (event) => {
  const said = event.data || {};
  if (said.type === "keep") event.waitUntil(keep(said));
});

/** Fetches what the page uses now, then forgets earlier versions. */
async function keep(said) {
  const cache = await caches.open(CACHE);
  await Promise.all(said.urls.map(async (url) => {
    if (await cache.match(url)) return;
    const answer = await fetch(url);
    if (answer.ok) await cache.put(url, answer);
  }));
  const page = await fetch(PAGE, { credentials: "same-origin" });
  if (page.ok && !page.redirected) await cache.put(PAGE, page);
  const kept = await cache.keys();
  await Promise.all(kept.map((request) => {
    const path = new URL(request.url).pathname;
    return path.startsWith("/static/") && !path.startsWith(said.base) ? cache.delete(request) : undefined;
  }));
}

self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== "GET" || url.origin !== self.location.origin) return;
  if (event.request.mode === "navigate" && url.pathname === PAGE) event.respondWith(page(event.request));
  else if (url.pathname.startsWith("/static/")) event.respondWith(file(event.request));
});

/** The server's page when it comes in time, else the kept one. */
async function page(request) {
  const cache = await caches.open(CACHE);
  const kept = await cache.match(PAGE);
  const stop = new AbortController();
  const timer = kept ? setTimeout(() => stop.abort(), PAGE_PATIENCE_MS) : 0;
  try {
    const answer = await fetch(request, { signal: stop.signal });
    if (answer.ok && !answer.redirected) await cache.put(PAGE, answer.clone());
    return answer.ok || !kept ? answer : kept;
  } catch (error) {
    if (kept) return kept;
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

/** Files never change under their name. */
async function file(request) {
  const kept = await caches.match(request.url);
  return kept || fetch(request);
}
