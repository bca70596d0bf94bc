// Brings a list on screen up to date from a newer copy of its page.
//
// A row that came is put at its place. One that left stays, and says so: nothing under a reader's eyes goes away.

/**
 * Bring `page` up to date from `fresh`; returns what changed, in a sentence.
 * @param {Document} page
 * @param {Document} fresh
 */
export function merge(page, fresh) {
  const list = page.getElementById("rows");
  const newer = fresh.getElementById("rows");
  if (list === null || newer === null) {
    return "";
  }
  const came = bring(list, newer);
  const left = leave(list, newer, fresh.getElementById("further") === null);
  page.getElementById("nothing")?.classList.toggle("hidden", list.childElementCount > 0);
  return [came > 0 ? `${came} new` : "", left > 0 ? `${left} no longer wait${left === 1 ? "s" : ""} for you` : ""]
    .filter(Boolean)
    .join(", ");
}

/**
 * Put in what came, and say what is told otherwise now.
 * @param {HTMLElement} list
 * @param {HTMLElement} newer
 */
function bring(list, newer) {
  let came = 0;
  let next = null;
  for (const one of [...newer.children].reverse()) {
    const known = document.getElementById(one.id);
    if (known === null) {
      const row = document.importNode(one, true);
      list.insertBefore(row, next);
      came += 1;
      next = row;
    } else {
      retell(known, one);
      next = known;
    }
  }
  return came;
}

/**
 * @param {HTMLElement} known
 * @param {Element} one
 */
function retell(known, one) {
  const [old, now] = [known.querySelector(".told"), one.querySelector(".told")];
  known.classList.remove("left");
  if (old !== null && now !== null && words(old) !== words(now)) {
    old.replaceWith(document.importNode(now, true));
  }
}

/**
 * What a row says, without its times, which the page tells in the reader's zone.
 * @param {Element} told
 */
function words(told) {
  const copy = /** @type {Element} */ (told.cloneNode(true));
  copy.querySelectorAll("time").forEach((time) => time.replaceChildren(time.getAttribute("datetime") ?? ""));
  return copy.textContent;
}

/**
 * Say of rows that are gone that they are. Behind the end of the newer copy nothing is known of them.
 * @param {HTMLElement} list
 * @param {HTMLElement} newer
 * @param {boolean} isAll
 */
function leave(list, newer, isAll) {
  const waiting = new Set([...newer.children].map((one) => one.id));
  const rows = [...list.children];
  const last = newer.lastElementChild === null ? -1 : rows.findIndex((row) => row.id === newer.lastElementChild?.id);
  const gone = rows.filter(
    (row, at) => !waiting.has(row.id) && (isAll || at < last) && !row.classList.contains("left"),
  );
  for (const row of gone) {
    row.classList.add("left");
    const said = document.createElement("p");
    said.textContent = "It no longer waits for you.";
    row.querySelector(".told")?.prepend(said);
    row.querySelectorAll("input").forEach((box) => box.remove());
  }
  return gone.length;
}
