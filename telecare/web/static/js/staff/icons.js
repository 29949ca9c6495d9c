// The staff page's own icons, beside those of the TV.
import { PATHS } from "../core/icons.js";

export { Icon } from "../core/icons.js";

Object.assign(PATHS, {
  home: "M4 11l8-7 8 7v9H4zM10 20v-6h4v6",
  go: "M4 21h16M6 21V10l6-6 6 6v11M10 21v-6h4v6",
  mic: "M12 15a3 3 0 0 0 3-3V6a3 3 0 0 0-6 0v6a3 3 0 0 0 3 3zM5.5 12a6.5 6.5 0 0 0 13 0M12 18.5V22M9 22h6",
  micoff: "M3 3l18 18M15 10.5V6a3 3 0 0 0-5.7-1.3M9 9v3a3 3 0 0 0 4.5 2.6M5.5 12a6.5 6.5 0 0 0 10 5.5M18.5 12a6.5 6.5 0 0 1-.6 2.7M12 18.5V22M9 22h6",
  signal: "M4 20v-4M9.5 20v-8M15 20V8M20.5 20V4",
  note: "M5 3h10l4 4v14H5zM15 3v4h4M8.5 12h7M8.5 16h5",
  warn: "M12 3.5L22 20H2zM12 9.5v5M12 17.5v.01",
  person: "M12 12a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9zM4 21a8 8 0 0 1 16 0",
  eye: "M3 12s3-6 9-6 9 6 9 6-3 6-9 6-9-6-9-6zM12 14.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5z",
  unlock: "M6 11h12v10H6zM8.5 11V7.5a3.5 3.5 0 0 1 6.8-1.2M12 15v2.5",
  tool: "M14 6a4 4 0 0 1 5-1l-3 3 1 2 2 1 3-3a4 4 0 0 1-6 5L8 21a2 2 0 0 1-3-3l8-8a4 4 0 0 1 1-4z",
  swap: "M4 8h15M15 4l4 4-4 4M20 16H5M9 12l-4 4 4 4",
  list: "M8 6h12M8 12h12M8 18h12M4 6h.01M4 12h.01M4 18h.01",
});
