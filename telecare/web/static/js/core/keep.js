// The page and its files are kept by its service worker: it starts when the network is not there. ES2019 only.
import { bootValues } from "./i18n.js";

/** Everything that was fetched until now. @param {"tv"|"staff"} worker @param {"/tv"|"/"} scope */
export async function keepForLater(worker, scope) {
  const boot = bootValues();
  // The demo on a network has a certificate of its own making, for which browsers start no worker.
  if (!("serviceWorker" in navigator) || (boot.demo && location.protocol === "https:")) return;
  const base = boot.static;
  const registered = await navigator.serviceWorker.register(`/${worker}-worker.js`, { scope });
  const active = registered.active || (await navigator.serviceWorker.ready).active;
  const urls = performance.getEntriesByType("resource").map((one) => new URL(one.name).pathname).filter((path) => path.indexOf(base) === 0);
  if (active) active.postMessage({ type: "keep", base, urls });
}
