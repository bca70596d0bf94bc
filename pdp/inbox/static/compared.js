// What a page shows of a request, held against its canonical bytes.

import { base64url, bytesOf, fromBase64, sha256 } from "./hashes.js";
import { linesOf } from "./lines.js";
import { areThose } from "./shown.js";

/**
 * The lines that a list on the page shows.
 * @param {ParentNode | null} list
 * @returns {{ label: string, text: string }[]}
 */
function lines(list) {
  const labels = Array.from(list?.querySelectorAll(":scope > dt") ?? [], (one) => one.textContent ?? "");
  const texts = Array.from(list?.querySelectorAll(":scope > dd > bdi") ?? [], (one) => one.textContent ?? "");
  return labels.length === texts.length ? labels.map((label, at) => ({ label, text: texts[at] ?? "" })) : [];
}

/**
 * The digest of what the page holds, where each line that it shows is of that; else an empty text.
 * @param {DOMStringMap} about
 * @param {ParentNode | null} list
 */
export async function checked(about, list) {
  const bytes = fromBase64(about["bytes"] ?? "");
  const request = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  if (!areThose(lines(list), linesOf(request))) {
    return "";
  }
  return base64url(await sha256(bytesOf(`placet/v1\n${about["realm"]}\n`), bytes));
}

/**
 * What shows the server that this page displayed the request.
 * @param {string[]} seen The digest, the version and the digest of what is known of the data.
 * @param {DOMStringMap} about
 * @param {ParentNode | null} list
 */
export async function proof(seen, about, list) {
  const texts = lines(list).flatMap((line) => [line.label, line.text]);
  const said = [`placet/${about["realm"]}/displayed/v1`, ...seen, ...texts];
  return base64url(await sha256(bytesOf(said.map((one) => `${one}\n`).join(""))));
}
