// Has the device make a new passkey, and another one sign for it. What a button does is said in the page's words.

import { decoded, encoded } from "./base64url.js";
import { field, listed, signAndSend } from "./signed_by.js";

const form = /** @type {HTMLFormElement} */ (document.getElementById("adding"));
const said = /** @type {HTMLElement} */ (document.getElementById("said"));

/**
 * A text of the page that the server wrote for this script.
 * @param {string} name
 */
function told(name) {
  return form.dataset[name] ?? "";
}

async function make() {
  const algorithms = told("algorithms").split(" ").map(Number);
  const made = /** @type {PublicKeyCredential | null} */ (
    await navigator.credentials.create({
      publicKey: {
        challenge: decoded(told("challenge")),
        rp: { id: told("host"), name: "Placet" },
        user: { id: decoded(told("user")), name: told("identity"), displayName: told("identity") },
        pubKeyCredParams: algorithms.map((alg) => ({ type: /** @type {const} */ ("public-key"), alg })),
        excludeCredentials: listed(told("held")),
        authenticatorSelection: { residentKey: "preferred", userVerification: "required" },
        attestation: "none",
      },
    })
  );
  if (made === null) {
    return;
  }
  const answer = /** @type {AuthenticatorAttestationResponse} */ (made.response);
  field(form, "credential_id").value = encoded(made.rawId);
  field(form, "attestation").value = encoded(answer.attestationObject);
  field(form, "client_data").value = encoded(answer.clientDataJSON);
  if (told("counting") === "") {
    form.requestSubmit();
    return;
  }
  document.getElementById("made")?.classList.remove("hidden");
  say("The passkey is made. It is not added yet.");
}

async function sign() {
  const members = { credential: field(form, "credential_id").value, nonce: field(form, "nonce").value };
  await signAndSend(form, "passkey", members, told("counting"));
}

/**
 * Say a sentence to who reads and who hears the page.
 * @param {string} text
 */
function say(text) {
  said.textContent = text;
}

/**
 * Do what a button is for, which cannot be pressed before; what the device refuses is said.
 * @param {string} id
 * @param {() => Promise<void>} work
 */
function does(id, work) {
  const button = /** @type {HTMLButtonElement | null} */ (document.getElementById(id));
  if (button === null) {
    return;
  }
  button.addEventListener("click", () => {
    say("Your device asks you now.");
    work().catch(() => say("Your device did not do it. Nothing was added; try again, or go back."));
  });
  button.disabled = false;
}

does("make", make);
does("sign", sign);
