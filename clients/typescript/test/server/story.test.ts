import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { Readable } from "node:stream";
import { after, before, test } from "node:test";

import { ApprovalPending, asked, canonical, Client, Denied, digest, guard, mask, PlacetError } from "placet";

import { as, pdp } from "./placet.js";

const EXPORT = {
  subject: "agent:report-bot",
  action: "export",
  resource: "table:customers",
  onBehalfOf: ["user:alice"],
  properties: { tags: ["pii"] },
} as const;

let alice: Client;
let bot: Client;

before(async () => {
  [alice, bot] = await Promise.all([as("alice"), as("report-bot")]);
});

after(() => {
  alice.close();
  bot.close();
});

function ofReason(reason: string) {
  return (error: unknown) => error instanceof PlacetError && error.reason === reason;
}

test("an allow is allowed, and everything else is not", async () => {
  const read = { subject: "user:alice", action: "read", resource: "table:customers" };
  const allow = await alice.authorize(read);
  assert.ok(allow.require().allowed, allow.why);
  assert.equal((await alice.authorize({ ...read, dryRun: true })).allowed, false);
  const deny = await alice.authorize({ ...read, action: "fly" });
  assert.equal(deny.allowed, false);
  assert.match(deny.why, /^DENY: no rule of the policy allows this/);
  assert.throws(() => deny.require(), Denied);
});

test("big integers, nested context and odd names arrive as they were meant", async () => {
  const question = {
    ...EXPORT,
    resource: "table:orders",
    properties: { tags: ["public"] },
    context: {
      rows: 9007199254740991n,
      run: { steps: [{ name: "a", cost: 0.1, ok: true, none: null }, []], "two words": {} },
      "\ufb33": 1,
      "😀": 2,
      constructor: 2,
      third: 1 / 3,
    },
  };
  const decision = (await bot.authorize(question)).require();
  const { realm } = await bot.facts();
  assert.equal(decision.response.requestDigest, digest(canonical(asked(question)), realm));
  assert.deepEqual(
    decision.response.onBehalfOf.map(({ type, id }) => `${type}:${id}`),
    ["user:alice"],
  );
});

test("what a library loses on the way is refused, and nothing is decided", async () => {
  const { realm } = await bot.facts();
  const lost = {
    subject: { type: "agent", id: "report-bot" },
    action: { name: "export" },
    resource: { type: "table", id: "customers", properties: {} },
    expectedDigest: digest(canonical(asked(EXPORT)), realm),
  };
  const error = await bot.call((call) => bot.decisions.authorize(lost, call)).catch((refused: unknown) => refused);
  assert.ok(error instanceof PlacetError);
  assert.deepEqual([error.code, error.reason], ["INVALID_ARGUMENT", "REQUEST_DIFFERS"]);
  assert.deepEqual([error.metadata.on_behalf_of, error.metadata.resource], ["0", "0"]);
});

test("a chain of several is decided for all of them", async () => {
  const decision = await bot.authorize({ ...EXPORT, onBehalfOf: ["agent:planner", { type: "user", id: "nobody" }] });
  assert.equal(decision.allowed, false);
});

test("the errors of a call say code, reason, and each bad field", async () => {
  const nothing = await alice.authorize({ subject: "user:", action: "read", resource: ":customers" });
  assert.deepEqual([nothing.error?.code, nothing.error?.reason], ["INVALID_ARGUMENT", "INVALID_REQUEST"]);
  assert.deepEqual(nothing.error?.fields.map(({ field }) => field).sort(), ["resource.type", "subject.id"]);
  const foreign = await alice.authorize({ subject: "user:bob", action: "read", resource: "table:customers" });
  assert.equal(foreign.error?.reason, "SUBJECT_NOT_ALLOWED");
  await assert.rejects(
    alice.call((call) => alice.approvals.getApproval({ approvalId: `apr_${"0".repeat(32)}` }, call)),
    {
      code: "NOT_FOUND",
      reason: "APPROVAL_NOT_FOUND",
    },
  );
  const stranger = new Client({ token: "none" });
  assert.equal(
    (await stranger.authorize({ subject: "user:a", action: "read", resource: "table:b" })).error?.code,
    "UNAUTHENTICATED",
  );
  stranger.close();
  const nowhere = new Client({ address: "127.0.0.1:1", timeoutMs: 500 });
  assert.equal(
    (await nowhere.authorize({ subject: "user:a", action: "read", resource: "table:b" })).error?.code,
    "UNAVAILABLE",
  );
  nowhere.close();
});

test("a guarded function waits for people, runs once with what was asked about, and reports", async () => {
  const requestId = randomUUID();
  const runs: object[] = [];
  const options = { client: bot, action: "export", resource: EXPORT.resource, onBehalfOf: EXPORT.onBehalfOf };
  const exporting = { ...options, properties: EXPORT.properties, requestId };
  const run = async (argument: { table: string; rows: number }) => {
    runs.push(argument);
    return `${argument.rows} rows`;
  };
  const pending = await assert.rejects(guard(exporting, run)({ table: "customers", rows: 2000 }), (error) => {
    return error instanceof ApprovalPending && error.requestId === requestId;
  });
  assert.equal(pending, undefined);
  let approvalId = "";
  const given = { table: "customers", rows: 2000 };
  const patient = guard(
    {
      ...exporting,
      waitMs: 60_000,
      waiting: (approval) => {
        approvalId = approval.approvalId;
        given.rows = 1_000_000; // which counts for nothing
        void approve(approvalId);
      },
    },
    run,
  );
  assert.equal(await patient(given), "2000 rows");
  assert.deepEqual(runs, [{ table: "customers", rows: 2000 }]);
  const { approval } = await bot.call((call) => bot.approvals.getApproval({ approvalId }, call));
  assert.equal(approval?.outcome?.state, 1);
  await assert.rejects(patient({ table: "customers", rows: 2000 }), ofReason("DENIED"), "a second run");
  await assert.rejects(patient({ table: "customers", rows: 2001 }), ofReason("REQUEST_ID_REUSED"), "another argument");
  assert.equal(runs.length, 1);
});

test("what changes before the run is refused, and what fails or runs later is reported as failed", async () => {
  let asked = 0;
  const options = { client: bot, action: "export", onBehalfOf: EXPORT.onBehalfOf, properties: { tags: ["public"] } };
  const changing = guard({ ...options, resource: () => `table:orders${asked++ || ""}` }, () => assert.fail("it ran"));
  await assert.rejects(changing({}), ofReason("ARGUMENTS_CHANGED"));
  const guarded = guard({ ...options, resource: "table:orders" }, (argument: { what: string }) => {
    if (argument.what === "stream") return Readable.from(["a"]);
    if (argument.what === "iterator") return [1].values();
    throw new RangeError(argument.what);
  });
  await assert.rejects(guarded({ what: "boom" }), RangeError);
  await assert.rejects(guarded({ what: "stream" }), /runs after its call/);
  await assert.rejects(guarded({ what: "iterator" }), /runs after its call/);
  await assert.rejects(guarded({ what: new Date() } as never), ofReason("INVALID_REQUEST"));
  assert.throws(() => guard({ ...options, resource: "table:orders" }, function* () {}), ofReason("INVALID_REQUEST"));
});

test("a wait ends when people have decided", async () => {
  const asking = await bot.authorize({
    ...EXPORT,
    context: { rows: 3000, nonce: randomUUID() },
    justification: "weekly",
  });
  const { approvalId } = asking.approval!;
  assert.equal((await bot.wait(approvalId, { timeoutMs: 300 })).state, 1);
  const waiting = bot.wait(approvalId, { timeoutMs: 60_000 });
  await pdp("approvals", "deny", approvalId, "--as", "bob", "--reason", "no");
  assert.equal((await waiting).state, 3);
});

test("rows are masked, all of them or none", async () => {
  const scope = { subject: "user:alice", table: "crm.customers" };
  const rows = [
    { surname: "white", email: "a@example.org" },
    { surname: "white", email: null },
  ];
  const masked = await mask(alice, scope, rows);
  const [first, second] = masked.rows as typeof rows;
  assert.equal(first!.surname, second!.surname);
  assert.notEqual(first!.surname, "white");
  assert.equal(second!.email, null);
  assert.deepEqual(Object.keys(first!), ["surname", "email"]);
  await assert.rejects(mask(alice, scope, [{ surname: undefined }]), ofReason("INVALID_REQUEST"));
  await assert.rejects(mask(alice, scope, [{ salary: 1 }]), ofReason("MASK_PLAN_REFUSED"));
  const dev = await as("dev");
  const denied = await mask(dev, { ...scope, subject: "user:nobody" }, rows);
  dev.close();
  assert.deepEqual([denied.decision.allowed, denied.rows], [false, undefined]);
});

async function approve(approvalId: string): Promise<void> {
  for (const steward of ["bob", "carol"])
    await pdp("approvals", "approve", approvalId, "--as", steward, "--reason", "read it");
}
