import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { fromJson } from "@bufbuild/protobuf";

import {
  asked,
  canonical,
  digest,
  expectedLineage,
  PlacetError,
  type Question,
  SpentGrants,
  verifyGrant,
} from "placet";

import { ApprovalLineageSchema } from "../../src/gen/pdp/v1/approval_pb.js";

/** The vectors that every client is tested with. */
function vectors(name: string): any[] {
  const file = new URL(`../../../../../tests/cases/${name}`, import.meta.url);
  return readFileSync(file, "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
}

function question({ subject, onBehalfOf, action, resource, context }: any): Question {
  return { subject, action, resource, ...(onBehalfOf && { onBehalfOf }), ...(context && { context }) };
}

test("every request has the canonical form and the digest of the vectors", () => {
  const lines = vectors("digests.jsonl");
  assert.ok(lines.length >= 78);
  for (const line of lines) {
    const text = canonical(asked(question(line.request)));
    assert.equal(text, line.canonical, line.name);
    assert.equal(digest(text, line.realm), line.digest, line.name);
  }
});

test("every grant is accepted or refused as the vectors say, for the reason that they say", () => {
  const lines = vectors("grants.jsonl");
  assert.ok(lines.filter((line) => !line.valid).length >= 20);
  for (const { name, valid, reason, spent, grant, jwks, ...expected } of lines) {
    const accepted = new SpentGrants();
    for (const jti of spent) accepted.spend({ ...expected, jti, exp: expected.now + 1 }, expected.now);
    const accept = () => accepted.spend(verifyGrant(grant, jwks, expected), expected.now);
    if (valid) assert.doesNotThrow(accept, name);
    else assert.throws(accept, (error) => error instanceof PlacetError && error.metadata.check === reason, name);
  }
});

test("what was displayed of data has the digest of the vectors, or is refused", () => {
  const lines = vectors("shown_lineages.jsonl");
  assert.ok(lines.length >= 28);
  for (const { name, lineage, expected, refused } of lines) {
    const shown = () => expectedLineage({ lineage: fromJson(ApprovalLineageSchema, lineage) });
    if (refused) assert.throws(shown, { reason: "NOT_AS_DISPLAYED" }, name);
    else assert.equal(shown(), expected, name);
  }
  assert.equal(expectedLineage({}), "");
});

test("a signature whose text has spare bits set is refused: it would be another text of the same grant", () => {
  const { grant, jwks, ...expected } = vectors("grants.jsonl")[0];
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const other = grant.slice(0, -1) + alphabet[alphabet.indexOf(grant.at(-1)) + 1];
  assert.ok(verifyGrant(grant, jwks, expected));
  assert.deepEqual(Buffer.from(other.split(".")[2], "base64url"), Buffer.from(grant.split(".")[2], "base64url"));
  assert.throws(() => verifyGrant(other, jwks, expected), { reason: "GRANT_INVALID" });
});

test("a time that is no number proves nothing", () => {
  const { grant, jwks, ...expected } = vectors("grants.jsonl")[0];
  assert.throws(() => verifyGrant(grant, jwks, { ...expected, now: NaN }), { reason: "GRANT_INVALID" });
});
