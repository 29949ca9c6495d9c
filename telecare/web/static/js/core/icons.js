// Own line icons, 24x24, stroke only: those that the TV uses too. The staff page adds its own.
import { html } from "../lib/preact.js";

/** @type {{[name: string]: string}} */
export const PATHS = {
  phone: "M5 3h4l2 5-2.5 1.6a11 11 0 0 0 5.9 5.9L16 13l5 2v4a2 2 0 0 1-2.2 2A17 17 0 0 1 3 5.2A2 2 0 0 1 5 3z",
  off: "M3 3l18 18M9.5 6H15a2 2 0 0 1 2 2v1.5l4-2.5v10l-2-1.2M17 17a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2V8a2 2 0 0 1 1-1.7",
  video: "M3 8a2 2 0 0 1 2-2h10a2 2 0 0 1 2 2v8a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2zM17 11l4-3v8l-4-3",
  day: "M4 7a2 2 0 0 1 2-2h12a2 2 0 0 1 2 2v11a2 2 0 0 1-2 2H6a2 2 0 0 1-2-2zM4 10h16M8 3v4M16 3v4",
  check: "M4 12.5l5 5L20 6.5",
  x: "M5 5l14 14M19 5L5 19",
  people: "M9 11a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM2 21a7 7 0 0 1 14 0M17 4a4 4 0 0 1 0 7M19 14.5a7 7 0 0 1 3 6.5",
  clock: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 7v5l3 2",
  hang: "M1.5 14.5c5.8-7.3 15.2-7.3 21 0l-2.7 4.5-4.8-1.8v-3.7a13 13 0 0 0-6 0v3.7L4.2 19z",
  back: "M19 12H5M11 6l-6 6 6 6",
  right: "M4 12h15M12.5 5.5L19 12l-6.5 6.5",
  turnr: "M20 4v6h-6M19.5 10a8 8 0 1 0 .5 5",
  glad: "M12 21.5a9.5 9.5 0 1 0 0-19 9.5 9.5 0 0 0 0 19zM8.5 9v1M15.5 9v1M7.5 14c2 3.6 7 3.6 9 0",
  soso: "M12 21.5a9.5 9.5 0 1 0 0-19 9.5 9.5 0 0 0 0 19zM8.5 9v1M15.5 9v1M8 15.2h8",
  sad: "M12 21.5a9.5 9.5 0 1 0 0-19 9.5 9.5 0 0 0 0 19zM8.5 9v1M15.5 9v1M7.5 16.5c2-3.6 7-3.6 9 0",
  sound: "M4 9.5v5h4l5 4v-13l-5 4zM16.5 9a4.5 4.5 0 0 1 0 6M19 6.5a8 8 0 0 1 0 11",
  shield: "M12 3l8 3v6c0 5-3.5 8-8 9-4.5-1-8-4-8-9V6z M8.5 12l2.5 2.5 4.5-5",
  plug: "M9 3v5M15 3v5M6 8h12v3a6 6 0 0 1-12 0zM12 17v4",
};

/** @param {{name: string}} props */
export const Icon = ({ name }) => html`<svg viewBox="0 0 24 24" class="i" aria-hidden="true"><path d=${PATHS[name] || ""} /></svg>`;
