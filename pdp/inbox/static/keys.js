// Keys of one letter, off where somebody types. Every action of theirs is reached by Tab, too.

const FIELDS = "input:not([type=checkbox]), textarea, select, [contenteditable], dialog";

/**
 * Do what is bound to a key when it is pressed.
 * @param {Record<string, () => void>} bound
 */
export function listen(bound) {
  document.addEventListener("keydown", (event) => {
    const inField = event.target instanceof Element && event.target.closest(FIELDS) !== null;
    const act = bound[event.key];
    if (act === undefined || inField || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) {
      return;
    }
    event.preventDefault();
    act();
  });
}

/** Show the help of the page, which its button shows, too. */
export function help() {
  const dialog = document.querySelector("dialog#keys");
  if (dialog instanceof HTMLDialogElement && !dialog.open) {
    dialog.showModal();
  }
}
