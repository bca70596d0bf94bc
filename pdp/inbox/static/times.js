// Times in the reader's zone, with UTC beside. Without this script a page says UTC alone.

const LOCAL = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });

/**
 * Say each time below an element in the reader's zone, too. What was said before stays as it is.
 * @param {Document | Element} root
 */
export function tellTimes(root) {
  for (const time of root.querySelectorAll("time[datetime]:not([data-told])")) {
    const at = new Date(time.getAttribute("datetime") ?? "");
    if (!Number.isNaN(at.getTime())) {
      time.setAttribute("data-told", "");
      time.textContent = `${LOCAL.format(at)} (${time.textContent ?? ""})`;
    }
  }
}

tellTimes(document);
