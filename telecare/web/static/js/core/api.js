// Asks the server over HTTP. A refusal is an ApiError with the server's stable code.
import { firstOf } from "./i18n.js";

const PATIENCE_MS = 15000;

export class ApiError extends Error {
  /** @param {number} status @param {string} code @param {string[]} fields names of those at fault */
  constructor(status, code, fields) {
    super(code);
    this.status = status;
    this.code = code;
    this.fields = fields;
  }
}

/** What happens when the session is gone or locked. @type {{refused: (code: string) => void}} */
export const onRefusal = { refused() {} };

/** @param {string} method @param {string} path @param {object} [body] @returns {Promise<any>} */
async function ask(method, path, body) {
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), PATIENCE_MS);
  let answer;
  let text;
  try {
    answer = await fetch(path, {
      method,
      signal: stop.signal,
      credentials: "same-origin",
      cache: "no-store",
      headers: body ? { "Content-Type": "application/json" } : {},
      body: body ? JSON.stringify(body) : undefined,
    });
    text = await answer.text();
  } catch (_) {
    throw new ApiError(0, "offline", []);
  } finally {
    clearTimeout(timer);
  }
  /** @type {any} */
  let data = null;
  try { data = text ? JSON.parse(text) : null; } catch (_) { /* not JSON: judged by status below */ }
  if (answer.ok) return data;
  const code = (data && data.code) || (answer.status === 401 ? "sign_in_needed" : answer.status >= 500 ? "unavailable" : "internal");
  if (code === "sign_in_needed" || code === "session_locked") onRefusal.refused(code);
  throw new ApiError(answer.status, code, (data && data.fields) || []);
}

/** @param {string} path */
export const get = (path) => ask("GET", path);
/** @param {string} path @param {object} [body] */
export const post = (path, body) => ask("POST", path, body || {});

/** The sentence for an error, which says what to do next. @param {unknown} error @returns {string} */
export function sentence(error) {
  const code = error instanceof ApiError ? error.code : "internal";
  return firstOf([`error.${code}`, "error.internal"]);
}
