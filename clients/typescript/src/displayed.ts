import { createHash } from "node:crypto";

import { PlacetError } from "./errors.js";
import type { Approval, ApprovalLineage } from "./gen/pdp/v1/approval_pb.js";

/**
 * `ReviewRequest.expectedLineage` of an approval as it was displayed; empty where it shows no data.
 *
 * It is computed from what was displayed; of columns that were too many to display, it is the server's. Throws
 * `PlacetError` with the reason NOT_AS_DISPLAYED where the server's is another: leave such an approval alone.
 */
export function expectedLineage(displayed: Pick<Approval, "lineage">): string {
  const shown = displayed.lineage;
  if (shown === undefined || shown.truncated) return shown?.digest ?? "";
  const names = new Set(shown.columns.map((column) => column.name));
  const made = createHash("sha256").update(form(shown)).digest("base64url");
  if (names.size === shown.columns.length && made === shown.digest) return made;
  const sentence = "what is displayed of the data is not what would be reviewed; leave it alone";
  throw new PlacetError("FAILED_PRECONDITION", "NOT_AS_DISPLAYED", sentence);
}

/** The form of RFC 8785: names in the order of their UTF-16 code units, as JavaScript compares. */
function form({ columns, datasets, tags }: ApprovalLineage): string {
  const sorted = [...columns].sort((one, other) => (one.name < other.name ? -1 : 1));
  const written = sorted.map((column) => `${JSON.stringify(column.name)}:${JSON.stringify(column.tags)}`);
  const named = datasets.map(({ name, namespace }) => ({ name, namespace }));
  return `{"columns":{${written.join(",")}},"datasets":${JSON.stringify(named)},"tags":${JSON.stringify(tags)}}`;
}
