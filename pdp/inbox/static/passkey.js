// Signs a verdict with a passkey: over the statement that the page computes from what it holds, and no other.

import { base64url, bytesOf, fromBase64, sha256 } from "./hashes.js";

/**
 * Fill the form with what the reviewer's passkey signed. Returns why that was not possible, or an empty text.
 * @param {HTMLFormElement} form
 * @param {DOMStringMap} about
 * @returns {Promise<string>}
 */
export async function sign(form, about) {
  const asked = await ask(form, about);
  if ("sentence" in asked) {
    return `${asked.sentence}.`;
  }
  if (asked.passkeys.length === 0) {
    return "a yes counts here with your passkey only, and you have none; add one on the page Me.";
  }
  const statement = await statementOf(form, about, asked.nonce);
  if (statement !== asked.statement) {
    return "the server wants another statement signed than the one of this page.";
  }
  try {
    await fill(form, statement, await signed(statement, about, asked.passkeys));
    return "";
  } catch {
    return "your passkey did not sign; try again.";
  }
}

/**
 * @param {HTMLFormElement} form
 * @param {string} name
 */
function field(form, name) {
  return /** @type {HTMLInputElement} */ (form.elements.namedItem(name));
}

/**
 * @param {HTMLFormElement} form
 * @param {DOMStringMap} about
 * @returns {Promise<{ sentence: string } | { statement: string, nonce: string, passkeys: string[] }>}
 */
async function ask(form, about) {
  const names = ["form", "reason", "expected_digest", "expected_version", "expected_lineage"];
  const fields = new URLSearchParams(names.map((name) => [name, field(form, name).value]));
  fields.set("verdict", "APPROVE");
  try {
    const answer = await fetch(`/inbox/approvals/${about["id"]}/begin`, { method: "POST", body: fields });
    const type = answer.headers.get("Content-Type") ?? "";
    return type.includes("json")
      ? await answer.json()
      : { sentence: "you are not logged in any more; log in in another tab" };
  } catch {
    return { sentence: "the server does not answer" };
  }
}

/**
 * The RFC 8785 form of the statement.
 * @param {HTMLFormElement} form
 * @param {DOMStringMap} about
 * @param {string} nonce
 */
async function statementOf(form, about, nonce) {
  const bytes = fromBase64(about["bytes"] ?? "");
  return JSON.stringify({
    approval: about["id"],
    digest: base64url(await sha256(bytesOf(`placet/v1\n${about["realm"]}\n`), bytes)),
    lineage: field(form, "expected_lineage").value,
    nonce,
    reason: base64url(await sha256(bytesOf(field(form, "reason").value))),
    reviewer: about["reviewer"],
    verdict: "APPROVE",
    version: Number(about["version"]),
  });
}

/**
 * @param {string} statement
 * @param {DOMStringMap} about
 * @param {string[]} passkeys
 */
async function signed(statement, about, passkeys) {
  const challenge = await sha256(bytesOf(`placet/${about["realm"]}/verdict/v1\n${statement}`));
  const allowCredentials = passkeys.map((id) => ({ type: /** @type {const} */ ("public-key"), id: fromBase64(id) }));
  const got = await navigator.credentials.get({
    publicKey: { challenge, allowCredentials, rpId: location.hostname, userVerification: "required" },
  });
  return /** @type {PublicKeyCredential} */ (got);
}

/**
 * @param {HTMLFormElement} form
 * @param {string} statement
 * @param {PublicKeyCredential} credential
 */
async function fill(form, statement, credential) {
  const answer = /** @type {AuthenticatorAssertionResponse} */ (credential.response);
  field(form, "credential_id").value = base64url(credential.rawId);
  field(form, "statement").value = statement;
  field(form, "authenticator_data").value = base64url(answer.authenticatorData);
  field(form, "client_data").value = base64url(answer.clientDataJSON);
  field(form, "signature").value = base64url(answer.signature);
}
