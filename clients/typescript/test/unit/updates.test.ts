import assert from "node:assert/strict";
import { createServer } from "node:http2";
import type { AddressInfo } from "node:net";
import { test } from "node:test";

import { create } from "@bufbuild/protobuf";
import { Code, ConnectError, type ConnectRouter } from "@connectrpc/connect";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { Table } from "apache-arrow";
import { asked, canonical, Client, digest, mask, type Question } from "placet";
import { maskStream } from "placet/arrow";

import { ErrorInfoSchema } from "../../src/gen/google/rpc/error_details_pb.js";
import { DecisionService } from "../../src/gen/pdp/v1/decision_pb.js";
import { InfoService } from "../../src/gen/pdp/v1/info_pb.js";
import { MaskService } from "../../src/gen/pdp/v1/mask_pb.js";
import { Effect } from "../../src/gen/pdp/v1/request_pb.js";
import { INFO, served } from "./served.js";

const READ = { subject: "user:alice", action: "read", resource: "table:t" };
const MASK = { ...READ, action: "mask" };
const SCOPE = { subject: "user:alice", table: "t" };

/** A server of a realm, which an update makes another one. */
class Updated {
  constructor(
    public realm: string,
    public features = INFO.features,
  ) {}

  readonly routes = (router: ConnectRouter) => {
    router.service(InfoService, { getServerInfo: () => ({ ...INFO, realm: this.realm, features: this.features }) });
    router.service(DecisionService, {
      authorize: ({ expectedDigest }) => {
        const requestDigest = this.compared(READ, expectedDigest);
        return { effect: Effect.ALLOW, requestDigest };
      },
    });
    const server = this;
    router.service(MaskService, {
      mask: ({ scope }) => {
        this.compared(MASK, scope!.expectedDigest);
        return { decision: { effect: Effect.DENY } };
      },
      async *maskStream(requests) {
        for await (const { message } of requests) {
          if (message.case !== "start") continue;
          server.compared(MASK, message.value.scope!.expectedDigest);
          yield { message: { case: "opened" as const, value: { decision: { effect: Effect.DENY } } } };
          return;
        }
      },
    });
  };

  /** The digest of a question, compared as a server does. */
  private compared(question: Question, said: string): string {
    const own = digest(canonical(asked(question)), this.realm);
    if (said === own || !this.features.includes("expected_digest")) return own;
    const reason = said ? "REQUEST_DIFFERS" : "DIGEST_REQUIRED";
    const info = create(ErrorInfoSchema, { reason });
    throw new ConnectError("no", Code.InvalidArgument, undefined, [{ desc: ErrorInfoSchema, value: info }]);
  }
}

const CALLS: Record<string, (client: Client) => Promise<unknown>> = {
  authorize: async (client) => {
    const { error } = await client.authorize(READ);
    if (error) throw error;
  },
  mask: (client) => mask(client, SCOPE, []),
  stream: (client) => maskStream(client, SCOPE, new Table({})),
};

test("an update behind a connection that stays is noticed by an error of any call", async () => {
  for (const [name, call] of Object.entries(CALLS)) {
    const refused = (reason: string, client: Client) =>
      name === "stream" ? assert.rejects(call(client), { reason }) : call(client); // what is small is asked anew by itself
    const server = new Updated("old", []);
    await served(server.routes, async (client) => {
      await call(client);
      server.features = INFO.features;
      await refused("DIGEST_REQUIRED", client);
      await call(client);
      server.realm = "new";
      await refused("REQUEST_DIFFERS", client);
      await call(client);
    });
  }
});

test("a restart is noticed before the next call", async () => {
  let port = 0;
  let client: Client | undefined;
  for (const realm of ["first", "second", "third"]) {
    const server = createServer(connectNodeAdapter({ routes: new Updated(realm).routes }));
    const sessions = new Set<{ destroy(): void }>();
    server.on("session", (session) => sessions.add(session));
    await new Promise<void>((ready) => server.listen(port, "127.0.0.1", ready));
    port = (server.address() as AddressInfo).port;
    client ??= new Client({ address: `127.0.0.1:${port}`, token: "t" });
    const { error } = await client.authorize(READ);
    if (realm === "third" || error) client.close();
    assert.equal(error, undefined, realm);
    for (const session of sessions) session.destroy();
    await new Promise((closed) => server.close(closed));
  }
});

test("a connection that breaks in a call is made anew, for the same attempt", async () => {
  const attempts: string[] = [];
  const sessions = new Set<{ destroy(): void }>();
  const routes = (router: ConnectRouter) => {
    router.service(InfoService, { getServerInfo: () => INFO });
    router.service(DecisionService, {
      authorize: ({ attemptId, expectedDigest }) => {
        attempts.push(attemptId);
        if (attempts.length === 1) for (const session of sessions) session.destroy();
        return { effect: Effect.ALLOW, requestDigest: expectedDigest };
      },
    });
  };
  const server = createServer(connectNodeAdapter({ routes }));
  server.on("session", (session) => sessions.add(session));
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  const client = new Client({ address: `127.0.0.1:${(server.address() as AddressInfo).port}`, token: "t" });
  const decision = await client.authorize(READ);
  client.close();
  server.close();
  assert.ok(decision.allowed, decision.why);
  assert.deepEqual([attempts.length, new Set(attempts).size], [2, 1]);
});

test("where nothing answers the error comes soon and says what to do", async () => {
  for (const address of ["127.0.0.1:1", "unix:/nowhere/placet"]) {
    const client = new Client({ address, token: "t" });
    const { error } = await client.authorize(READ);
    client.close();
    assert.deepEqual([error?.code, error?.reason], ["UNAVAILABLE", "UNAVAILABLE"]);
    assert.ok(error!.message.includes(address) && /`pdp dev`.*PDP_ADDRESS/.test(error!.message), error!.message);
  }
});
