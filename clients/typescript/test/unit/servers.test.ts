import assert from "node:assert/strict";
import { test } from "node:test";

import type { MessageInitShape } from "@bufbuild/protobuf";
import { Code, ConnectError, type ConnectRouter } from "@connectrpc/connect";
import { asked, canonical, type Client, digest, guard, PlacetError, type Question } from "placet";

import {
  type AuthorizeRequest,
  type AuthorizeResponseSchema,
  DecisionService,
} from "../../src/gen/pdp/v1/decision_pb.js";
import { InfoService } from "../../src/gen/pdp/v1/info_pb.js";
import { Effect } from "../../src/gen/pdp/v1/request_pb.js";
import { INFO, served } from "./served.js";

const READ = {
  subject: "user:alice",
  action: "read",
  resource: "table:customers",
  context: { rows: 1, deep: { a: [null] } },
};
type Answer = MessageInitShape<typeof AuthorizeResponseSchema>;

/** What an allow of this question looks like. */
function allow(question: Question, onBehalfOf: { type: string; id: string }[] = []): Answer {
  const requestDigest = digest(canonical(asked(question)), "test");
  return { effect: Effect.ALLOW, decisionId: "dec_1", requestDigest, onBehalfOf };
}

/** A server that decides as a test says, and what it was asked, with which tokens. */
async function withServer(
  answer: (request: AuthorizeRequest) => Answer,
  run: (client: Client, asked: AuthorizeRequest[], tokens: (string | null)[]) => Promise<void>,
  features?: string[],
): Promise<void> {
  const seen: AuthorizeRequest[] = [];
  const tokens: (string | null)[] = [];
  const routes = (router: ConnectRouter) => {
    router.service(InfoService, { getServerInfo: () => ({ ...INFO, ...(features && { features }) }) });
    router.service(DecisionService, {
      authorize(request, { requestHeader }) {
        seen.push(request);
        tokens.push(requestHeader.get("authorization"));
        return answer(request);
      },
    });
  };
  await served(routes, (client) => run(client, seen, tokens));
}

test("UNAVAILABLE is tried again as the same attempt, with the token of then", async () => {
  let left = 2;
  const answer = () => {
    if (left-- > 0) throw new ConnectError("away", Code.Unavailable);
    return allow(READ);
  };
  await withServer(answer, async (client, seen, tokens) => {
    assert.ok((await client.authorize(READ)).require().allowed);
    assert.equal(seen.length, 3);
    assert.equal(new Set(seen.map(({ attemptId }) => attemptId)).size, 1);
    assert.equal(new Set(seen.map(({ requestId }) => requestId)).size, 1);
    assert.equal(new Set(tokens).size, 3);
    await client.authorize(READ);
    assert.notEqual(seen[3]!.attemptId, seen[0]!.attemptId);
  });
});

test("any other error is the answer at once", async () => {
  const answer = () => {
    throw new ConnectError("full", Code.ResourceExhausted);
  };
  await withServer(answer, async (client, seen) => {
    assert.equal((await client.authorize(READ)).error?.code, "RESOURCE_EXHAUSTED");
    assert.equal(seen.length, 1);
  });
});

test("attributes and digest travel as text, or in a Struct to a server that does not know them", async () => {
  for (const features of [INFO.features, []]) {
    await withServer(
      () => allow(READ),
      async (client, seen) => {
        assert.ok((await client.authorize(READ)).allowed);
        const { context, contextJson, expectedDigest } = seen[0]!;
        assert.deepEqual(features.length > 0 ? JSON.parse(contextJson) : context, READ.context);
        assert.equal(expectedDigest, features.length > 0 ? allow(READ).requestDigest : "");
      },
      features,
    );
  }
});

test("an allow of another request, or without a grant for a guard, allows nothing", async () => {
  const other = { ...READ, context: {} };
  await withServer(
    () => allow(other),
    async (client) => {
      const { allowed, error } = await client.authorize(READ);
      assert.deepEqual([allowed, error?.reason], [false, "REQUEST_DIFFERS"]);
    },
    [],
  );
  const { context, ...rest } = READ;
  await withServer(
    () => allow(READ),
    async (client) => {
      const guarded = guard({ client, ...rest }, () => assert.fail("it ran"));
      await assert.rejects(guarded(context), (error) => {
        return error instanceof PlacetError && error.reason === "GRANT_INVALID" && error.metadata.check === "form";
      });
    },
  );
});

test("a chain that the server adds is part of what was decided; another one than was sent is not", async () => {
  const sent = { ...READ, onBehalfOf: ["user:bob"] };
  for (const [chain, isThis] of [
    [["bob", "carol"], true],
    [["carol", "bob"], false],
  ] as const) {
    const onBehalfOf = chain.map((id) => ({ type: "user", id }));
    const decided = { ...READ, onBehalfOf: chain.map((id) => `user:${id}`) };
    await withServer(
      () => allow(decided, onBehalfOf),
      async (client) => assert.equal((await client.authorize(sent)).allowed, isThis),
    );
  }
});
