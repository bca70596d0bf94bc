import assert from "node:assert/strict";
import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { Readable } from "node:stream";
import { test } from "node:test";

import { Code, ConnectError, type ConnectRouter } from "@connectrpc/connect";
import { Table, Utf8, vectorFromArray } from "apache-arrow";
import { guard, PlacetError } from "placet";
import { maskStream } from "placet/arrow";

import { ApprovalService, ApprovalState } from "../../src/gen/pdp/v1/approval_pb.js";
import { DecisionService } from "../../src/gen/pdp/v1/decision_pb.js";
import { InfoService } from "../../src/gen/pdp/v1/info_pb.js";
import { MaskService } from "../../src/gen/pdp/v1/mask_pb.js";
import { Effect } from "../../src/gen/pdp/v1/request_pb.js";
import { INFO, served } from "./served.js";

const { publicKey, privateKey } = generateKeyPairSync("ed25519");

function jwks(key: KeyObject): string {
  return JSON.stringify({ keys: [{ ...key.export({ format: "jwk" }), kid: "k1", placet_use: "grant" }] });
}

function grant(jti: string, digest: string): string {
  const iat = Math.floor(Date.now() / 1000);
  const claims = { iss: INFO.realm, aud: INFO.caller.identity, jti, digest, iat, exp: iat + 30 };
  const parts = [{ alg: "EdDSA", typ: "placet-grant+jwt", kid: "k1" }, claims];
  const signed = parts.map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".");
  return `${signed}.${sign(null, Buffer.from(signed), privateKey).toString("base64url")}`;
}

/** A server that allows everything, with the decisions of these ids and the grants of those. */
function granting(decisions: string[], grants = decisions): (router: ConnectRouter) => void {
  let looks = 0;
  let count = 0;
  const info = () => ({ ...INFO, jwks: looks++ === 0 ? INFO.jwks : jwks(publicKey) });
  return (router) => {
    router.service(InfoService, { getServerInfo: info });
    router.service(DecisionService, {
      authorize({ expectedDigest }) {
        const at = count++;
        const answer = { effect: Effect.ALLOW, decisionId: decisions[at]!, requestDigest: expectedDigest };
        return { ...answer, grant: grant(grants[at]!, expectedDigest) };
      },
    });
  };
}

function failing(check: string) {
  return (error: unknown) => error instanceof PlacetError && error.metadata.check === check;
}

test("a key that is not known yet is looked for again, and one decision is for one run", async () => {
  await served(granting(["dec_1", "dec_1"]), async (client) => {
    const runs: unknown[] = [];
    const guarded = guard({ client, action: "read", resource: "table:a" }, (argument: object) => runs.push(argument));
    const given = { deep: { list: [1, "two"] }, big: 9007199254740991n };
    assert.equal(await guarded(given), 1);
    assert.deepEqual(runs, [{ deep: { list: [1, "two"] }, big: 9007199254740991 }]);
    await assert.rejects(guarded(given), failing("jti"));
    assert.equal(runs.length, 1);
  });
});

test("a grant of another decision, and a question that changed, allow no run", async () => {
  await served(granting(["dec_2", "dec_3"], ["dec_9", "dec_3"]), async (client) => {
    const options = { client, action: "read" };
    const other = guard({ ...options, resource: "table:a" }, () => assert.fail("it ran"));
    await assert.rejects(other({}), failing("jti"));
    let count = 0;
    const changing = guard({ ...options, resource: () => `table:${count++}` }, () => assert.fail("it ran"));
    await assert.rejects(changing({}), { reason: "ARGUMENTS_CHANGED" });
  });
});

test("what runs after its call is ended and refused", async () => {
  let isEnded = false;
  async function* later() {
    try {
      yield 1;
    } finally {
      isEnded = true;
    }
  }
  const stream = new ReadableStream({ cancel: () => void (isEnded = true) });
  const results = [[1].values(), Readable.from(["a"]), stream, later()];
  const ids = results.map((_, index) => `dec_later_${index}`);
  await served(granting(ids), async (client) => {
    const guarded = guard({ client, action: "read", resource: "table:a" }, ({ at }: { at: number }) => results[at]);
    for (const at of results.keys()) {
      isEnded = false;
      await assert.rejects(guarded({ at }), /runs after its call/);
      if (at === 2) assert.ok(isEnded);
    }
    assert.ok((results[1] as Readable).destroyed);
    assert.deepEqual(await (results[3] as AsyncGenerator).next(), { value: undefined, done: true });
  });
});

test("a wait goes on over a server that is away and a token that has ended", async () => {
  const answers = [Code.Unavailable, Code.Unauthenticated, undefined, Code.DeadlineExceeded, undefined];
  const states = [ApprovalState.PENDING, ApprovalState.APPROVED];
  const routes = (router: ConnectRouter) => {
    router.service(ApprovalService, {
      waitApproval() {
        const code = answers.shift();
        if (code !== undefined) throw new ConnectError("not now", code);
        return { approval: { state: states.shift()! } };
      },
    });
  };
  await served(routes, async (client) => {
    const told: (string | undefined)[] = [];
    const options = { timeoutMs: 10_000, told: (error?: PlacetError) => told.push(error?.code) };
    assert.equal((await client.wait("apr_1", options)).state, ApprovalState.APPROVED);
    assert.deepEqual(told, ["UNAVAILABLE", undefined, "DEADLINE_EXCEEDED", undefined]);
  });
});

test("a wait ends with an error that does not pass, and with its time", async () => {
  const routes = (router: ConnectRouter) => {
    router.service(ApprovalService, {
      waitApproval({ approvalId }) {
        if (approvalId === "apr_2") throw new ConnectError("who", Code.Unauthenticated);
        if (approvalId === "apr_0") throw new ConnectError("none", Code.NotFound);
        throw new ConnectError("away", Code.Unavailable);
      },
      getApproval: () => ({ approval: { state: ApprovalState.PENDING } }),
    });
  };
  await served(routes, async (client) => {
    await assert.rejects(client.wait("apr_2", { timeoutMs: 10_000 }), { code: "UNAUTHENTICATED" });
    await assert.rejects(client.wait("apr_0", { timeoutMs: 10_000 }), { code: "NOT_FOUND" });
    assert.equal((await client.wait("apr_1", { timeoutMs: 300 })).state, ApprovalState.PENDING);
  });
});

test("of a stream without its end, or with other rows than were sent, nothing comes back", async () => {
  const surname = vectorFromArray(["a", "b"], new Utf8());
  for (const [rows, sends, ends] of [
    [2n, true, true],
    [2n, true, false],
    [2n, false, true],
    [1n, true, true],
  ] as const) {
    const routes = (router: ConnectRouter) => {
      router.service(InfoService, { getServerInfo: () => INFO });
      router.service(MaskService, {
        async *maskStream(requests) {
          const decision = { effect: Effect.ALLOW };
          for await (const { message } of requests) {
            if (message.case === "arrowMessage" && sends) yield { message };
            if (message.case !== "start" || message.value.shape?.shape.case !== "arrowSchema") continue;
            const plan = { outputSchema: message.value.shape.shape.value };
            yield { message: { case: "opened" as const, value: { decision, plan } } };
          }
          if (ends) yield { message: { case: "end" as const, value: { rows, recordId: "rec_1" } } };
        },
      });
    };
    await served(routes, async (client) => {
      const masking = maskStream(client, { subject: "user:alice", table: "t" }, new Table({ surname }));
      if (ends && sends && rows === 2n)
        assert.deepEqual((await masking).table!.getChild("surname")!.toArray(), ["a", "b"]);
      else await assert.rejects(masking, { code: "DATA_LOSS", reason: "STREAM_INCOMPLETE" });
    });
  }
});
