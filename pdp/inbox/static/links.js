// Has a passkey of the person sign that an account is linked: the account that the page shows.

import { decoded, encoded } from "./base64url.js";

const form = /** @type {HTMLFormElement} */ (document.getElementById("linking"));
const said = /** @type {HTMLElement} */ (document.getElementById("said"));

/**
 * A field of the form.
 * @param {string} name
 */
function field(name) {
  return /** @type {HTMLInputElement} */ (form.elements.namedItem(name));
}

async function sign() {
  const members = JSON.stringify({ account: field("account").value, nonce: field("nonce").value });
  const text = new TextEncoder().encode(`placet/${form.dataset["realm"]}/link/v1\n${members}`);
  const ids = (form.dataset["held"] ?? "").split(" ");
  const signed = /** @type {PublicKeyCredential | null} */ (await navigator.credentials.get({
    publicKey: {
      challenge: await crypto.subtle.digest("SHA-256", text),
      rpId: form.dataset["host"] ?? "",
      allowCredentials: ids.map((id) => ({ type: /** @type {const} */ ("public-key"), id: decoded(id) })),
      userVerification: "required",
    },
  }));
  if (signed === null) {
    return;
  }
  const answer = /** @type {AuthenticatorAssertionResponse} */ (signed.response);
  field("by").value = encoded(signed.rawId);
  field("by_authenticator_data").value = encoded(answer.authenticatorData);
  field("by_client_data").value = encoded(answer.clientDataJSON);
  field("by_signature").value = encoded(answer.signature);
  form.requestSubmit();
}

document.getElementById("sign")?.addEventListener("click", () => {
  said.textContent = "Your device asks you now.";
  sign().catch(() => {
    said.textContent = "Your device did not sign it. Nothing was linked; try again, or go back.";
  });
});
