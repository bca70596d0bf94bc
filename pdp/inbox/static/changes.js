// The page of one approval hears of its changes as they come, and looks once whenever it is connected: what changed
// before is not told again.

import { follow } from "./events.js";

const about = document.getElementById("approval")?.dataset;
const said = document.getElementById("connection");

/**
 * @param {string} id
 * @param {number | null} version
 */
function tell(id, version) {
  document.dispatchEvent(new CustomEvent("placet:changed", { detail: { id, version } }));
}

/** @param {string} id */
async function look(id) {
  const answer = await fetch(`/inbox/approvals/${id}/now`);
  if (answer.ok) {
    tell(id, (await answer.json()).version);
  }
}

/**
 * @param {string} id
 * @param {string} sentence
 */
function connected(id, sentence) {
  if (said !== null) {
    said.textContent = sentence;
  }
  if (sentence === "") {
    void look(id);
  }
}

const id = about?.["id"];
if (id !== undefined && about?.["follows"] === "yes") {
  void follow("", { changed: tell, missed: () => void look(id), connection: (sentence) => connected(id, sentence) });
}
