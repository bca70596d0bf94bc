// The page of one approval. It lets a person approve what it has checked itself: the digest of the canonical bytes is
// that of the form, every line on the page is that of these bytes, and the end of the request was reached.

import { became } from "./became.js";
import { checked, proof } from "./compared.js";
import { onChange } from "./live.js";
import { sign } from "./passkey.js";
import { followKeys } from "./verdict_keys.js";

/** By then the browser has said what of the page is on the screen. */
const SEEN_MS = 100;

/** @type {<T extends HTMLElement = HTMLElement>(id: string) => T | null} */
const find = (id) => /** @type {any} */ (document.getElementById(id));

/** What stands in the way of approving, the first of which is said. */
const obstacles = new Map([
  ["check", "The page checks what it shows."],
  ["end", "Approve becomes active when you have read to the end of the request."],
]);

/**
 * @param {HTMLFormElement} form
 * @param {string} name
 */
function field(form, name) {
  return /** @type {HTMLInputElement} */ (form.elements.namedItem(name));
}

function tell() {
  const [approve, why] = [/** @type {HTMLButtonElement | null} */ (find("approve")), find("why")];
  if (approve && why) {
    approve.disabled = obstacles.size > 0;
    why.textContent = obstacles.values().next().value ?? "You have read to the end; you may approve.";
  }
}

/**
 * What shows the server that this page displayed the request.
 * @param {HTMLFormElement} form
 * @param {DOMStringMap} about
 */
function displayed(form, about) {
  const seen = ["expected_digest", "expected_version", "expected_lineage"].map((name) => field(form, name).value);
  return proof(seen, about, find("lines"));
}

/** Approve is there for whoever reached the end, by the eyes or by the focus. */
function watchTheEnd() {
  const end = find("end");
  const reached = () => {
    obstacles.delete("end");
    tell();
  };
  if (end) {
    // What was scrolled past counts, too: one long jump must not leave a person at the bottom without the button.
    const above = { rootMargin: "10000000px 0px 0px 0px" };
    new IntersectionObserver((seen) => seen.some((one) => one.isIntersecting) && reached(), above).observe(end);
    end.addEventListener("focus", reached);
  }
}

/**
 * A reader who came to approve has Approve under the keys at once, if all of the request is on the screen already. Later
 * nothing takes the focus: who scrolls by the space bar must not press a button by it.
 */
function arriveAtApprove() {
  if (location.hash === "#to-approve" && window.scrollY === 0 && obstacles.size === 0) {
    find("approve")?.focus({ preventScroll: true });
  }
}

/** @param {DOMStringMap} about */
async function sayWhatChanged(about) {
  obstacles.set("changed", "It changed since this page was opened; open it again to approve.");
  tell();
  find("changed")?.replaceChildren(await became(about));
}

/**
 * @param {HTMLFormElement} form
 * @param {DOMStringMap} about
 * @param {SubmitEvent} event
 */
async function send(form, about, event) {
  const verdict = /** @type {HTMLButtonElement | null} */ (event.submitter);
  if (verdict?.value !== "APPROVE") {
    return;
  }
  event.preventDefault();
  if (obstacles.size > 0 || (await checked(about, find("lines"))) !== field(form, "expected_digest").value) {
    refuse();
    return;
  }
  field(form, "displayed").value = await displayed(form, about);
  const problem = about["signs"] === "yes" ? await sign(form, about) : "";
  if (problem) {
    obstacles.set("passkey", `Nothing was sent: ${problem}`);
    tell();
    obstacles.delete("passkey");
    verdict.disabled = false;
    return;
  }
  const chosen = document.createElement("input");
  Object.assign(chosen, { type: "hidden", name: "verdict", value: "APPROVE" });
  form.append(chosen);
  form.submit();
}

function refuse() {
  obstacles.set(
    "check",
    "What this page shows is not the request that the form is about. Nothing can be approved here.",
  );
  tell();
}

async function begin() {
  const [about, form] = [find("approval")?.dataset, /** @type {HTMLFormElement | null} */ (find("review"))];
  if (!about) {
    return;
  }
  followKeys();
  onChange(about["id"] ?? "", Number(about["version"]), () => void sayWhatChanged(about));
  if (!form) {
    return;
  }
  tell();
  watchTheEnd();
  form.addEventListener("submit", (event) => void send(form, about, event));
  if ((await checked(about, find("lines")).catch(() => "")) === field(form, "expected_digest").value) {
    obstacles.delete("check");
    tell();
    setTimeout(arriveAtApprove, SEEN_MS);
  } else {
    refuse();
  }
}

void begin();
