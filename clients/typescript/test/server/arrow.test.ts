import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { type RecordBatch, Table, tableFromJSON, Utf8, vectorFromArray } from "apache-arrow";
import { type Client, PlacetError } from "placet";
import { maskStream } from "placet/arrow";

import { as } from "./placet.js";

const SCOPE = { subject: "user:alice", table: "crm.customers" };
let alice: Client;

before(async () => {
  alice = await as("alice");
});

after(() => alice.close());

test("a table comes back masked, in the order and number of its rows", async () => {
  const plain = tableFromJSON([{ surname: "white" }, { surname: "black" }, { surname: "white" }]);
  const { table, plan, recordId } = await maskStream(alice, SCOPE, plain);
  const [first, second, third] = table!.toArray().map((row) => row.surname as string);
  assert.equal(first, third);
  assert.notEqual(first, second);
  assert.notEqual(first, "white");
  assert.match(recordId!, /^rec_/);
  assert.equal(plan!.columns[0]!.domain, "customer.name");
});

test("batches larger than a message are sent in pieces", async () => {
  const surname = vectorFromArray(
    Array.from({ length: 100_000 }, (_, row) => `${row}`.padStart(60, "x")),
    new Utf8(),
  );
  const { table } = await maskStream(alice, SCOPE, new Table({ surname }));
  assert.equal(table!.numRows, 100_000);
});

test("batches are read from an iterator, and what it throws ends the stream", async () => {
  async function* batches(fails: boolean): AsyncGenerator<RecordBatch> {
    for (const surname of ["a", "b", "c"])
      yield* new Table({ surname: vectorFromArray([surname], new Utf8()) }).batches;
    if (fails) throw new RangeError("no more");
  }
  assert.equal((await maskStream(alice, SCOPE, batches(false))).table!.numRows, 3);
  await assert.rejects(maskStream(alice, SCOPE, batches(true)), RangeError);
});

test("nothing comes back of a stream that is refused or denied", async () => {
  const salary = tableFromJSON([{ salary: 1 }]);
  await assert.rejects(maskStream(alice, SCOPE, salary), (error) => {
    return error instanceof PlacetError && error.reason === "MASK_PLAN_REFUSED";
  });
  const dev = await as("dev");
  const denied = await maskStream(dev, { ...SCOPE, subject: "user:nobody" }, salary);
  dev.close();
  assert.deepEqual([denied.decision.allowed, denied.table], [false, undefined]);
});
