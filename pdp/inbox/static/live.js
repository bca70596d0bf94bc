// What tells a page that its approval changed: an event "placet:changed" on the document, whose detail has the
// approval's id and its version. Whatever follows the server sends it; the page itself asks for nothing.

/**
 * Call `tell` whenever there is a newer version of this approval.
 * @param {string} approval
 * @param {number} version
 * @param {() => void} tell
 */
export function onChange(approval, version, tell) {
  document.addEventListener("placet:changed", (event) => {
    const { id, version: now } = /** @type {CustomEvent} */ (event).detail;
    if (id === approval && now !== version) {
      tell();
    }
  });
}
