// Bytes as unpadded base64url (RFC 4648, section 5), and back.

/**
 * The text that stands for bytes.
 * @param {ArrayBuffer} bytes
 */
export function encoded(bytes) {
  const text = String.fromCharCode(...new Uint8Array(bytes));
  return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/**
 * The bytes that a text stands for.
 * @param {string} text
 */
export function decoded(text) {
  const plain = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(plain, (letter) => letter.charCodeAt(0));
}
