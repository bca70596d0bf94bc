import assert from "node:assert/strict";
import { test } from "node:test";

import { create } from "@bufbuild/protobuf";
import { Client, Decision, Denied, PlacetError } from "placet";

import { AuthorizeResponseSchema } from "../../src/gen/pdp/v1/decision_pb.js";
import { Effect } from "../../src/gen/pdp/v1/request_pb.js";

const ALLOW = { effect: Effect.ALLOW, decisionId: "dec_1" };
const MASKED = { ...ALLOW, obligations: [{ type: "mask" }] };

function decision(answer: object, understood: string[] = [], error?: PlacetError): Decision {
  return new Decision(create(AuthorizeResponseSchema, answer), new Set(understood), error);
}

test("only a clear allow is allowed", () => {
  assert.ok(decision(ALLOW).allowed);
  assert.ok(decision(MASKED, ["mask"]).allowed);
  const refused = [
    decision(MASKED),
    decision({ ...ALLOW, dryRun: true }),
    decision({ ...ALLOW, effect: Effect.DENY }),
    decision({ ...ALLOW, effect: Effect.NEEDS_APPROVAL }),
    decision({ ...ALLOW, effect: Effect.UNSPECIFIED }),
    decision({ ...ALLOW, effect: 99 }),
    decision(ALLOW, [], new PlacetError("UNAVAILABLE", "UNAVAILABLE", "away")),
  ];
  for (const one of refused) {
    assert.equal(one.allowed, false, one.why);
    assert.throws(() => one.require(), Denied);
  }
  assert.match(refused[0]!.why, /^ALLOW: ; unknown obligations mask \(dec_1\)$/);
  assert.match(refused[5]!.why, /^EFFECT_99/);
});

test("a client refuses options that it does not know and plaintext to another machine", () => {
  for (const options of [
    { adress: "127.0.0.1:1" },
    { address: "pdp.example.org:443" },
    { address: "127.0.0.1.example.org:443" },
    { token: "a", tokenFile: "b" },
    { certificate: "/dev/null" },
  ]) {
    assert.throws(() => new Client(options as object), PlacetError, JSON.stringify(options));
  }
  for (const address of ["127.0.0.1:1", "127.8.9.1:1", "[::1]:1", "localhost:1", "unix:/nowhere"])
    new Client({ address }).close();
});

test("a token that cannot be sent is an error of the call, which does not quote it", async () => {
  const client = new Client({ address: "127.0.0.1:1", token: () => "se\ncret" });
  const { error } = await client.authorize({ subject: "user:a", action: "read", resource: "table:b" });
  client.close();
  assert.deepEqual([error?.code, error?.reason], ["UNAUTHENTICATED", "TOKEN_UNAVAILABLE"]);
  assert.doesNotMatch(error!.message, /cret/);
});

test("a misspelt name is refused, and the error names those that there are", async () => {
  const client = new Client({ address: "127.0.0.1:1" });
  const question = { subject: "user:a", action: "read", resource: "table:b", requestID: "call-1" };
  await assert.rejects(client.authorize(question), /requestID is none of .*onBehalfOf.*requestId/);
  client.close();
});
