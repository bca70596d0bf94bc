// Has a passkey of the person sign that an account is linked: the account that the page shows.

import { field, signAndSend } from "./signed_by.js";

const form = /** @type {HTMLFormElement} */ (document.getElementById("linking"));
const said = /** @type {HTMLElement} */ (document.getElementById("said"));

async function sign() {
  const members = { account: field(form, "account").value, nonce: field(form, "nonce").value };
  await signAndSend(form, "link", members, form.dataset["held"] ?? "");
}

document.getElementById("sign")?.addEventListener("click", () => {
  said.textContent = "Your device asks you now.";
  sign().catch(() => {
    said.textContent = "Your device did not sign it. Nothing was linked; try again, or go back.";
  });
});
