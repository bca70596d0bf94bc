// Has one of a person's passkeys sign what a form is about, and sends the form with the signature.

import { decoded, encoded } from "./base64url.js";

/**
 * What passkeys are asked for, by their ids with a space between.
 * @param {string} ids
 * @returns {PublicKeyCredentialDescriptor[]}
 */
export function listed(ids) {
  return ids
    .split(" ")
    .filter(Boolean)
    .map((id) => ({ type: "public-key", id: decoded(id) }));
}

/**
 * A field of a form.
 * @param {HTMLFormElement} form
 * @param {string} name
 */
export function field(form, name) {
  return /** @type {HTMLInputElement} */ (form.elements.namedItem(name));
}

/**
 * Sign the members for a purpose, which the server knows, too. The form's data names the realm and the host.
 * @param {HTMLFormElement} form
 * @param {string} purpose
 * @param {Record<string, string>} members
 * @param {string} ids
 */
export async function signAndSend(form, purpose, members, ids) {
  const text = new TextEncoder().encode(`placet/${form.dataset["realm"]}/${purpose}/v1\n${JSON.stringify(members)}`);
  const challenge = await crypto.subtle.digest("SHA-256", text);
  const signed = /** @type {PublicKeyCredential | null} */ (
    await navigator.credentials.get({
      publicKey: {
        challenge,
        rpId: form.dataset["host"] ?? "",
        allowCredentials: listed(ids),
        userVerification: "required",
      },
    })
  );
  if (signed === null) {
    return;
  }
  const answer = /** @type {AuthenticatorAssertionResponse} */ (signed.response);
  field(form, "by").value = encoded(signed.rawId);
  field(form, "by_authenticator_data").value = encoded(answer.authenticatorData);
  field(form, "by_client_data").value = encoded(answer.clientDataJSON);
  field(form, "by_signature").value = encoded(answer.signature);
  form.requestSubmit();
}
