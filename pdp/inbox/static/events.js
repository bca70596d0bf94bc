// Follows what changes in this person's queue: ids and versions, by server-sent events that this script reads itself,
// because a page must see the comments, too, to know that it is connected.

const SILENT_MS = 40_000;
const AGAIN_MS = 1_000;
const LATER_MS = 15_000;

/**
 * @typedef {object} Listener
 * @property {(id: string, version: number | null) => void} changed An approval changed.
 * @property {() => void} missed Changes may have been missed: read again.
 * @property {(sentence: string) => void} connection Empty while connected, else what to tell the person.
 */

/**
 * Follow the changes behind a place until the page is left.
 * @param {string} place
 * @param {Listener} listener
 */
export async function follow(place, listener) {
  const reached = { place };
  for (;;) {
    const seconds = await stream(reached, listener);
    if (seconds === null) {
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, seconds));
  }
}

/**
 * One stream. Returns after how many milliseconds to try again, or null where that is of no use.
 * @param {{ place: string }} reached
 * @param {Listener} listener
 * @returns {Promise<number | null>}
 */
async function stream(reached, listener) {
  const end = new AbortController();
  let timer = setTimeout(() => end.abort(), SILENT_MS);
  try {
    const answer = await fetch("/inbox/events", { headers: { "Last-Event-ID": reached.place }, signal: end.signal });
    if (answer.status === 401 || answer.status === 403) {
      listener.connection("Not connected: you are not logged in any more. Open the page again.");
      return null;
    }
    if (answer.status !== 200 || answer.body === null) {
      const many = answer.status === 429;
      listener.connection(many ? "Not connected: too many pages are open. Close one." : "Not connected. Trying again.");
      return LATER_MS;
    }
    listener.connection("");
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      clearTimeout(timer);
      timer = setTimeout(() => end.abort(), SILENT_MS);
      const events = (text + part.value).split("\n\n");
      text = events.pop() ?? "";
      events.forEach((event) => tell(event, reached, listener));
    }
    return AGAIN_MS;
  } catch {
    listener.connection("Not connected. Trying again.");
    return AGAIN_MS;
  } finally {
    clearTimeout(timer);
  }
}

/**
 * @param {string} event
 * @param {{ place: string }} reached
 * @param {Listener} listener
 */
function tell(event, reached, listener) {
  const lines = event.split("\n").map((line) => line.split(/: ?(.*)/s));
  const fields = Object.fromEntries(lines.map(([name, value]) => [name, value ?? ""]));
  reached.place = fields["id"] ?? reached.place;
  if (fields["event"] === "again") {
    listener.missed();
  } else if (fields["event"] === "approval") {
    const said = JSON.parse(fields["data"] ?? "{}");
    listener.changed(String(said.id), said.version);
  }
}
