// Whether a text that a page shows is that of the canonical bytes, with all that could deceive made visible.

const HIDDEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]|\u00a0|\u034f|\u115f|\u1160|\u2800|\u3164|\uffa0|\ufffc/u;
const NUMBER = /^-?[0-9]+(\.[0-9]+)?(e[+-]?[0-9]+)?$/;

/** @typedef {import("./lines.js").Line} Line */
/** @typedef {import("./lines.js").Part} Part */

/**
 * Whether the page shows these lines and no others.
 * @param {{ label: string, text: string }[]} shown
 * @param {Line[]} wanted
 */
export function areThose(shown, wanted) {
  return shown.length === wanted.length && shown.every((line, index) => isThat(line, wanted[index]));
}

/**
 * @param {{ label: string, text: string }} shown
 * @param {Line | undefined} wanted
 */
function isThat(shown, wanted) {
  if (wanted === undefined || !says(shown.label, wanted.label)) {
    return false;
  }
  if (typeof wanted.value === "number") {
    return NUMBER.test(shown.text) && Number(shown.text) === wanted.value;
  }
  return says(shown.text, wanted.value);
}

/**
 * Whether a text on the page says these parts. No other parts have the same text: each backslash and each quote of
 * theirs is marked, and a hidden character stands as its number.
 * @param {string} shown
 * @param {Part[]} parts
 */
export function says(shown, parts) {
  let at = 0;
  for (const part of parts) {
    at = "ours" in part ? behind(shown, at, part.ours) : behindTheirs(shown, at, part.theirs);
    if (at < 0) {
      return false;
    }
  }
  return at === shown.length;
}

/**
 * @param {string} shown
 * @param {number} at
 * @param {string} text
 */
function behind(shown, at, text) {
  return shown.startsWith(text, at) ? at + text.length : -1;
}

/**
 * @param {string} shown
 * @param {number} at
 * @param {string} text
 */
function behindTheirs(shown, at, text) {
  for (const character of text) {
    at = at < 0 ? at : behindOne(shown, at, character);
  }
  return at;
}

/**
 * @param {string} shown
 * @param {number} at
 * @param {string} character
 */
function behindOne(shown, at, character) {
  if (character === "\\" || character === '"') {
    return behind(shown, at, `\\${character}`);
  }
  const number = behind(shown, at, `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);
  return number >= 0 || HIDDEN.test(character) ? number : behind(shown, at, character);
}
