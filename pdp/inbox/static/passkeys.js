// Has the device make a new passkey, and another one sign for it. What a button does is said in the page's words.

import { decoded, encoded } from "./base64url.js";

const form = /** @type {HTMLFormElement} */ (document.getElementById("adding"));
const said = /** @type {HTMLElement} */ (document.getElementById("said"));

/**
 * A text of the page that the server wrote for this script.
 * @param {string} name
 */
function told(name) {
  return form.dataset[name] ?? "";
}

/**
 * The passkeys of a list of the page.
 * @param {string} name
 * @returns {PublicKeyCredentialDescriptor[]}
 */
function listed(name) {
  const ids = told(name).split(" ").filter(Boolean);
  return ids.map((id) => ({ type: "public-key", id: decoded(id) }));
}

/**
 * A field of the form.
 * @param {string} name
 */
function field(name) {
  return /** @type {HTMLInputElement} */ (form.elements.namedItem(name));
}

async function make() {
  const algorithms = told("algorithms").split(" ").map(Number);
  const made = /** @type {PublicKeyCredential | null} */ (await navigator.credentials.create({
    publicKey: {
      challenge: decoded(told("challenge")),
      rp: { id: told("host"), name: "Placet" },
      user: { id: decoded(told("user")), name: told("identity"), displayName: told("identity") },
      pubKeyCredParams: algorithms.map((alg) => ({ type: /** @type {const} */ ("public-key"), alg })),
      excludeCredentials: listed("held"),
      authenticatorSelection: { residentKey: "preferred", userVerification: "required" },
      attestation: "none",
    },
  }));
  if (made === null) {
    return;
  }
  const answer = /** @type {AuthenticatorAttestationResponse} */ (made.response);
  field("credential_id").value = encoded(made.rawId);
  field("attestation").value = encoded(answer.attestationObject);
  field("client_data").value = encoded(answer.clientDataJSON);
  if (told("counting") === "") {
    form.requestSubmit();
    return;
  }
  document.getElementById("made")?.classList.remove("hidden");
  say("The passkey is made. It is not added yet.");
}

async function sign() {
  const members = JSON.stringify({ credential: field("credential_id").value, nonce: field("nonce").value });
  const text = new TextEncoder().encode(`placet/${told("realm")}/passkey/v1\n${members}`);
  const challenge = await crypto.subtle.digest("SHA-256", text);
  const signed = /** @type {PublicKeyCredential | null} */ (await navigator.credentials.get({
    publicKey: { challenge, rpId: told("host"), allowCredentials: listed("counting"), userVerification: "required" },
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

/**
 * Say a sentence to who reads and who hears the page.
 * @param {string} text
 */
function say(text) {
  said.textContent = text;
}

/**
 * Do what a button is for; what the device refuses is said.
 * @param {string} id
 * @param {() => Promise<void>} work
 */
function does(id, work) {
  document.getElementById(id)?.addEventListener("click", () => {
    say("Your device asks you now.");
    work().catch(() => say("Your device did not do it. Nothing was added; try again, or go back."));
  });
}

does("make", make);
does("sign", sign);
