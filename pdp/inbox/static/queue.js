// The queue as it changes. What is being read stays where it is, the focus stays, and what was ticked or typed stays.

import { byKeys } from "./list.js";
import { follow } from "./events.js";
import { merge } from "./merge.js";
import { keeping } from "./place.js";
import { tellTimes } from "./times.js";

const SOON_MS = 100;
const PAUSE_MS = 500;

const rows = document.getElementById("rows");
let isWanted = false;
let isReading = false;

/** Read the page again, soon, once for many changes, and not while nobody looks. */
function refresh() {
  isWanted = true;
  if (!isReading && !document.hidden) {
    isReading = true;
    setTimeout(read, SOON_MS);
  }
}

/** What the page is now, as a document: it is parsed by the browser, and no script in it runs. */
function read() {
  isWanted = false;
  const asked = new XMLHttpRequest();
  asked.open("GET", rows?.dataset["address"] ?? "/inbox/rows");
  asked.responseType = "document";
  asked.addEventListener("loadend", () => {
    const fresh = asked.status === 200 ? asked.responseXML : null;
    if (rows !== null && fresh !== null) {
      keeping(rows, () => {
        say("news", merge(document, fresh));
        tellTimes(document);
      });
    }
    setTimeout(() => {
      isReading = false;
      if (isWanted || fresh === null) {
        refresh();
      }
    }, PAUSE_MS);
  });
  asked.send();
}

/**
 * @param {string} id
 * @param {string} sentence
 */
function say(id, sentence) {
  const element = document.getElementById(id);
  if (element !== null && element.textContent !== sentence) {
    element.textContent = sentence;
  }
}

byKeys();
if (rows !== null) {
  document.documentElement.style.overflowAnchor = "none"; // place.js keeps the place itself
  document.addEventListener("visibilitychange", () => isWanted && refresh());
  void follow(rows.dataset["place"] ?? "", {
    changed: refresh,
    missed: refresh,
    connection: (sentence) =>
      keeping(rows, () => say("connection", sentence || "Live: what changes is shown at once.")),
  });
}
