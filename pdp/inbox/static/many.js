// Several approvals on one page. They are approved only where this page checked each, its person reached the end of each,
// and none of them changed meanwhile.

import { checked, proof } from "./compared.js";
import { follow } from "./events.js";
import { followKeys } from "./verdict_keys.js";

const DIFFERS = "What this page shows is not what the form is about. Nothing can be approved here.";
const SEEN = ["digest", "version", "lineage"];
const form = /** @type {HTMLFormElement | null} */ (document.querySelector("main form#many"));
const items = /** @type {HTMLElement[]} */ ([...document.querySelectorAll("article.item")]);
const unread = new Set(items);
let obstacle = "The page checks what it shows.";

/** @param {string} name */
function field(name) {
  return /** @type {HTMLInputElement} */ (form?.elements.namedItem(name));
}

function tell() {
  const approve = /** @type {HTMLButtonElement | null} */ (document.getElementById("approve"));
  const why = document.getElementById("why");
  if (approve !== null && why !== null) {
    approve.disabled = obstacle !== "" || unread.size > 0;
    const left = `Approve becomes active when you have read all to their ends; ${unread.size} left.`;
    const said = obstacle || (unread.size > 0 ? left : "You have read all to their ends; you may approve.");
    why.textContent = why.textContent === said ? why.textContent : said;
  }
}

/** @param {HTMLElement} item */
function read(item) {
  unread.delete(item);
  tell();
}

/** Each end counts, by the eyes or by the focus. */
function watchTheEnds() {
  const seen = new IntersectionObserver((all) =>
    all.forEach((one) => one.isIntersecting && read(/** @type {HTMLElement} */ (one.target.closest("article")))),
  );
  for (const item of items) {
    const end = item.querySelector(".end");
    if (end !== null) {
      seen.observe(end);
      end.addEventListener("focus", () => read(item));
    }
  }
}

/** Whether every item shows what its digest is of. */
async function areChecked() {
  for (const item of items) {
    const digest = await checked(item.dataset, item.querySelector(".lines")).catch(() => "");
    if (digest === "" || digest !== field(`digest_${item.dataset["place"]}`).value) {
      return false;
    }
  }
  return true;
}

/** @param {SubmitEvent} event */
async function send(event) {
  const verdict = /** @type {HTMLButtonElement | null} */ (event.submitter);
  if (verdict?.value !== "APPROVE" || form === null) {
    return;
  }
  event.preventDefault();
  obstacle = obstacle || ((await areChecked()) ? "" : DIFFERS);
  if (obstacle !== "" || unread.size > 0) {
    tell();
    return;
  }
  for (const item of items) {
    const place = item.dataset["place"];
    const seen = SEEN.map((name) => field(`${name}_${place}`).value);
    field(`displayed_${place}`).value = await proof(seen, item.dataset, item.querySelector(".lines"));
  }
  const chosen = document.createElement("input");
  Object.assign(chosen, { type: "hidden", name: "verdict", value: "APPROVE" });
  form.append(chosen);
  form.submit();
}

/**
 * @param {string} id
 * @param {number | null} version
 */
function changed(id, version) {
  const item = items.find((one) => one.dataset["id"] === id);
  if (item !== undefined && Number(item.dataset["version"]) !== version) {
    obstacle = `Number ${Number(item.dataset["place"]) + 1} changed since this page was opened; open the page again.`;
    tell();
  }
}

async function begin() {
  tell();
  watchTheEnds();
  followKeys();
  form?.addEventListener("submit", (event) => void send(event));
  void follow("", { changed, missed: () => {}, connection: () => {} });
  const found = (await areChecked()) ? "" : DIFFERS;
  obstacle = found || (obstacle.startsWith("Number") ? obstacle : "");
  tell();
}

void begin();
