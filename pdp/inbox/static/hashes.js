// Hashes as Placet writes them: SHA-256 in unpadded base64url.

const UTF_8 = new TextEncoder();

/** @param {string} text */
export function bytesOf(text) {
  return UTF_8.encode(text);
}

/**
 * @param {...Uint8Array} parts
 * @returns {Promise<Uint8Array<ArrayBuffer>>}
 */
export async function sha256(...parts) {
  const all = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return new Uint8Array(await crypto.subtle.digest("SHA-256", all));
}

/** @param {Uint8Array | ArrayBuffer} raw */
export function base64url(raw) {
  const text = Array.from(new Uint8Array(raw), (byte) => String.fromCharCode(byte)).join("");
  return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/**
 * The inverse, also of base64 as RFC 4648 has it.
 * @param {string} text
 */
export function fromBase64(text) {
  const plain = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(plain, (character) => character.charCodeAt(0));
}
