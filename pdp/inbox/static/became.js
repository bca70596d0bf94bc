// What became of a request that changed while somebody read it.

/**
 * A word of the contract as one reads it: `CHANGES_REQUESTED` is "changes requested".
 * @param {string | undefined} word
 */
function said(word) {
  return (word ?? "").replaceAll("_", " ").toLowerCase();
}

/**
 * A line for the page: what the request is now, and what happened last.
 * @param {DOMStringMap} about
 */
export async function became(about) {
  const answer = await fetch(`/inbox/approvals/${about["id"]}/now`);
  const now = answer.ok ? await answer.json() : { state: "not to be read any more", what: "" };
  const last = [said(now.what), said(now.result), now.who && `by ${now.who}`].filter(Boolean).join(" ");
  const [note, link] = [document.createElement("p"), document.createElement("a")];
  note.className = "notice warn";
  note.textContent = `This request changed: it is ${said(now.state)}${last && `; last: ${last}`}. What you typed stays here. `;
  link.href = `/inbox/approvals/${about["id"]}`;
  link.textContent = "Open it again";
  note.append(link);
  return note;
}
