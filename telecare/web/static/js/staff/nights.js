// Pages that show the night's lists ask for them when they are told, and now and then.
import { effect } from "../lib/preact.js";
import * as store from "./store.js";
import { watch } from "./watch.js";

/** Besides what the page is told. */
const FALLBACK_MS = 60000;
/** Several changes at once are one question. */
const REST_MS = 300;

/** While the page is shown. @param {() => Promise<unknown>} refresh @returns {() => void} */
export function watchNights(refresh) {
  /** @type {number|undefined} */
  let soon;
  let wasTold = store.nights.value;
  const ask = () => { soon = undefined; refresh().catch(() => {}); };
  const stopListening = effect(() => {
    if (store.nights.value === wasTold) return;
    wasTold = store.nights.value;
    if (soon === undefined) soon = setTimeout(ask, REST_MS);
  });
  // A new connection knows nothing of what was shown on the one before, nor told what happened between.
  let isFirst = true;
  const stopSaying = effect(() => {
    if (!store.live.open.value || !store.live.send(watch(true))) return;
    if (!isFirst) ask();
    isFirst = false;
  });
  const timer = setInterval(ask, FALLBACK_MS);
  return () => {
    stopListening();
    stopSaying();
    clearTimeout(soon);
    clearInterval(timer);
    store.live.send(watch(false));
  };
}
