// Own line icons, 24x24, stroke only: those that the TV uses too. The staff page adds its own.
import { html } from "../lib/preact.js";

/** @type {{[name: string]: string}} */
export const PATHS = {
  phone: "M5 3h4l2 5-2.5 1.6a11 11 0 0 0 5.9 5.9L16 13l5 2v4a2 2 0 0 1-2.2 2A17 17 0 0 1 3 5.200A2 2 0 0 1 5 3z",
  off: "M3 3l18 18M9.500 6H15a2 2 0 0 1 2 2v1.500l4-2.500v10l-2-1.200M17 17a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2V8a2 2 0 0 1 1-1.700",
  video: "M3 8a2 2 0 0 1 2-2h10a2 2 0 0 1 2 2v8a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2zM17 11l4-3v8l-4-3",
  day: "M4 7a2 2 0 0 1 2-2h12a2 2 0 0 1 2 2v11a2 2 0 0 1-2 2H6a2 2 0 0 1-2-2zM4 10h16M8 3v4M16 3v4",
  check: "M4 12.500l5 5L20 6.500",
  x: "M5 5l14 14M19 5L5 19",
  people: "M9 11a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM2 21a7 7 0 0 1 14 0M17 4a4 4 0 0 1 0 7M19 14.500a7 7 0 0 1 3 6.500",
  clock: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 7v5l3 2",
  hang: "M1.500 14.500c5.800-7.300 15.200-7.300 21 0l-2.700 4.500-4.800-1.800v-3.700a13 13 0 0 0-6 0v3.700L4.200 19z",
  back: "M19 12H5M11 6l-6 6 6 6",
  right: "M4 12h15M12.500 5.500L19 12l-6.500 6.500",
  turnr: "M20 4v6h-6M19.500 10a8 8 0 1 0 .500 5",
  glad: "M12 21.500a9.500 9.500 0 1 0 0-19 9.500 9.500 0 0 0 0 19zM8.500 9v1M15.500 9v1M7.500 14c2 3.600 7 3.600 9 0",
  soso: "M12 21.500a9.500 9.500 0 1 0 0-19 9.500 9.500 0 0 0 0 19zM8.500 9v1M15.500 9v1M8 15.200h8",
  sad: "M12 21.500a9.500 9.500 0 1 0 0-19 9.500 9.500 0 0 0 0 19zM8.500 9v1M15.500 9v1M7.500 16.500c2-3.600 7-3.600 9 0",
  sound: "M4 9.500v5h4l5 4v-13l-5 4zM16.500 9a4.500 4.500 0 0 1 0 6M19 6.500a8 8 0 0 1 0 11",
  shield: "M12 3l8 3v6c0 5-3.500 8-8 9-4.500-1-8-4-8-9V6z M8.500 12l2.500 2.500 4.500-5",
  plug: "M9 3v5M15 3v5M6 8h12v3a6 6 0 0 1-12 0zM12 17v4",
};

/** @param {{name: string}} props */
export const Icon = ({ name }) => html`<svg viewBox="0 0 24 24" class="i" aria-hidden="true"><path d=${PATHS[name] || ""} /></svg>`;
