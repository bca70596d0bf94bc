// The row that is being read keeps its place on the screen, whatever comes above it.

/**
 * Change the page without moving what is being read of a list.
 * @param {HTMLElement} list
 * @param {() => void} change
 */
export function keeping(list, change) {
  const row = read(list);
  const before = row?.getBoundingClientRect().top ?? 0;
  change();
  const moved = (row?.getBoundingClientRect().top ?? 0) - before;
  if (moved !== 0) {
    window.scrollBy({ top: moved, behavior: "instant" });
  }
}

/**
 * The row of the focus if it is on screen, else the first on screen.
 * @param {HTMLElement} list
 */
function read(list) {
  const rows = [...list.children].filter((row) => isOnScreen(row.getBoundingClientRect()));
  return rows.find((row) => row.contains(document.activeElement)) ?? rows[0];
}

/** @param {DOMRect} box */
function isOnScreen(box) {
  return box.bottom > 0 && box.top < window.innerHeight;
}
