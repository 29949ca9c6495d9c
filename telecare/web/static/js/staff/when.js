// Days and times that only the staff page writes.
import { bootValues, clock, date, format, t } from "../core/i18n.js";

/** @typedef {import("../core/i18n.js").When} When */

/** "2026-11-22" in local time. @param {When} at */
export const isoDay = (at) => format("iso", { year: "numeric", month: "2-digit", day: "2-digit" }, "sv").format(date(at));
/** "22 nov" @param {When} at */
export const dayShort = (at) => format("dayShort", { day: "numeric", month: "short" }, bootValues().lang === "en" ? "en-GB" : undefined).format(date(at)).replace(".", "");
/** The local "2026-11-23T14:00" that plans are written in. @param {When} at */
export const localMinute = (at) => `${isoDay(at)}T${clock(at)}`;

/** The instant of a day and a time on Swedish clocks, as the server reads it. @param {string} day @param {string} time */
export function instant(day, time) {
  const wanted = `${day}T${time}`;
  const guess = Date.parse(`${wanted}:00Z`);
  // Two hours behind UTC in summer, one in winter: the one that reads back as what was written.
  const hit = [7200000, 3600000].find((ahead) => localMinute(guess - ahead) === wanted);
  return new Date(guess - (hit || 3600000)).toISOString();
}

/** "I går 15:00", "20 nov 09:12". @param {When} at @param {When} now */
export function whenText(at, now) {
  const day = isoDay(at);
  if (day === isoDay(now)) return clock(at);
  if (day === isoDay(date(now).getTime() - 86400000)) return t("common.yesterday", { time: clock(at) });
  return `${dayShort(at)} ${clock(at)}`;
}
