// Keys of the page of one approval. They lead to a control and press nothing; in a field they are letters.

const PLACES = new Map([
  ["a", "approve"],
  ["d", "deny"],
  ["s", "what"],
  ["r", "revoking"],
]);

export function followKeys() {
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
