// What is said of a drive to a home: who goes, that she is there, how it was.
import { post } from "../core/api.js";

/** Minutes until she is there. */
export const WITHIN = [10, 15, 20, 30, 45, 60];

/** @param {string} id @param {number} within minutes */
export const accept = (id, within) => post(`/api/dispatches/${id}/accept`, { within_min: within });
/** @param {string} id */
export const arrive = (id) => post(`/api/dispatches/${id}/arrive`);
/** @param {string} id @param {string} outcome @param {"somebody"|"nobody"} found in the home */
export const close = (id, outcome, found) => post(`/api/dispatches/${id}/close`, { outcome, found });
