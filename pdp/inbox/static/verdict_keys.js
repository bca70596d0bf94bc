// Keys of the page of one approval. They lead to a control and press nothing; in a field they are letters. A list of
// requests leads there by the control's name in the address.

const PLACES = new Map([
  ["a", "approve"],
  ["d", "deny"],
  ["s", "what"],
  ["r", "revoking"],
]);

/** Give the focus to the control that the address names, which the keys of a list lead to. */
function arrive() {
  const named = location.hash.slice(1);
  if ([...PLACES.values()].includes(named)) {
    document.getElementById(named)?.focus();
  }
}

export function followKeys() {
  arrive();
  document.addEventListener("keydown", (event) => {
    const inField = event.target instanceof HTMLElement && event.target.matches("input, textarea, select");
    if (inField || event.ctrlKey || event.altKey || event.metaKey) {
      return;
    }
    const place = document.getElementById(PLACES.get(event.key) ?? "");
    if (place) {
      event.preventDefault();
      place.focus();
    }
  });
}
