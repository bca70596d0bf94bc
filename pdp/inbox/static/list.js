// A list of requests by keyboard: j and k move among its rows, and the other keys open the one that has the focus.

import { help, listen } from "./keys.js";

/** @returns {HTMLAnchorElement[]} */
function links() {
  return [...document.querySelectorAll("#rows > li .does a")].filter((one) => one instanceof HTMLAnchorElement);
}

/** The row of the focus, or none. */
function current() {
  const row = document.activeElement?.closest("#rows > li") ?? null;
  return links().findIndex((link) => row !== null && row.contains(link));
}

/** @param {number} by */
function move(by) {
  const all = links();
  const at = current();
  const next = at < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(Math.max(at + by, 0), all.length - 1);
  all[next]?.focus();
}

/** @param {string} part */
function open(part) {
  const link = links()[current()];
  if (link !== undefined) {
    location.assign(link.href + part);
  }
}

/** Narrow the list down. */
function narrow() {
  const details = document.querySelector("form[role=search] details");
  if (details instanceof HTMLDetailsElement) {
    details.open = true;
  }
  const field = document.querySelector("form[role=search] input:not([type=checkbox])");
  if (field instanceof HTMLElement) {
    field.focus();
  }
}

/** Listen from now on, and offer the help. */
export function byKeys() {
  listen({
    j: () => move(1),
    k: () => move(-1),
    a: () => open("#to-approve"),
    d: () => open("#deny"),
    s: () => open("#what"),
    r: () => open("#revoking"),
    "/": narrow,
    "?": help,
  });
  const button = document.getElementById("help");
  button?.classList.remove("hidden");
  button?.addEventListener("click", help);
}
