// Passkeys: what the server writes in base64url becomes bytes for the browser, and back.
import { post, sentence, ApiError } from "../core/api.js";
import { t } from "../core/i18n.js";

/** @param {string} text @returns {Uint8Array<ArrayBuffer>} */
export function bytes(text) {
  const plain = atob(text.replace(/-/g, "+").replace(/_/g, "/").padEnd(Math.ceil(text.length / 4) * 4, "="));
  return Uint8Array.from(plain, (c) => c.charCodeAt(0));
}

/** @param {ArrayBuffer} buffer */
export function base64url(buffer) {
  return btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

/** @param {Array<{id: string}>} list */
const ids = (list) => (list || []).map((one) => ({ ...one, id: bytes(one.id) }));

/** @param {PublicKeyCredential} made */
function toSend(made) {
  const response = /** @type {any} */ (made.response);
  /** @type {{[name: string]: unknown}} */
  const answer = {};
  for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) if (response[name]) answer[name] = base64url(response[name]);
  if (response.getTransports) answer.transports = response.getTransports();
  return { id: made.id, rawId: base64url(made.rawId), type: made.type, response: answer, clientExtensionResults: made.getClientExtensionResults() };
}

/** @param {() => Promise<Credential|null>} ask */
async function ceremony(ask) {
  if (!navigator.credentials || !window.PublicKeyCredential) throw new ApiError(0, "passkey_unsupported", []);
  try {
    const made = await ask();
    if (!made) throw new ApiError(0, "passkey_cancelled", []);
    return toSend(/** @type {PublicKeyCredential} */ (made));
  } catch (error) {
    if (error instanceof ApiError) throw error;
    throw new ApiError(0, "passkey_cancelled", []);
  }
}

export async function signIn() {
  const asked = await post("/api/sign-in/begin");
  const options = asked.publicKey || asked;
  const credential = await ceremony(() => navigator.credentials.get({ publicKey: { ...options, challenge: bytes(options.challenge), allowCredentials: ids(options.allowCredentials) } }));
  await post("/api/sign-in/finish", { credential });
}

/** @param {string} invitation */
export async function register(invitation) {
  const asked = await post("/api/invitations/begin", { invitation });
  const options = asked.publicKey || asked;
  const credential = await ceremony(() => navigator.credentials.create({
    publicKey: { ...options, challenge: bytes(options.challenge), user: { ...options.user, id: bytes(options.user.id) }, excludeCredentials: ids(options.excludeCredentials) },
  }));
  await post("/api/invitations/finish", { invitation, credential });
}

/** The plain pages: one button that does it, one line that says how it went. */
function page() {
  const button = document.querySelector("[data-passkey]");
  const line = document.getElementById("passkey-state");
  if (!(button instanceof HTMLButtonElement) || !line) return;
  const what = button.dataset.passkey || "";
  // The secret of an invitation is in the fragment; another language keeps it.
  document.querySelectorAll("nav a").forEach((one) => { /** @type {HTMLAnchorElement} */ (one).hash = location.hash; });
  button.addEventListener("click", async () => {
    button.disabled = true;
    line.className = "soft";
    line.textContent = t("sign_in.waiting");
    try {
      if (what === "sign-in") await signIn();
      else await register(location.hash.slice(1));
      location.assign("/");
    } catch (error) {
      line.className = "wrong";
      line.textContent = sentence(error);
      button.disabled = false;
      button.focus();
    }
  });
}
page();
