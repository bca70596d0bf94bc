import assert from "node:assert/strict";
import { test } from "node:test";

import { asked, canonical, Client, guard, mask, PlacetError, type Question } from "placet";

const READ = { subject: "user:alice", action: "read", resource: "table:customers" } as const;

class Money {
  readonly #cents = 100;
  get cents(): number {
    return this.#cents;
  }
}

/** Whose chain a copy of its own members lacks. */
class Asking {
  readonly subject = "user:alice";
  readonly action = "read";
  readonly resource = "table:customers";
  get onBehalfOf(): string[] {
    return ["user:bob"];
  }
}

const holdsItself: Record<string, unknown> = {};
holdsItself.inner = [holdsItself];

/** What JSON would change or leave out. */
const LOST: [string, unknown][] = [
  ["undefined", undefined],
  ["a function", () => 1],
  ["a symbol", Symbol("s")],
  ["a symbol for a name", { [Symbol("s")]: 1 }],
  ["NaN", NaN],
  ["Infinity", Infinity],
  ["-Infinity", -Infinity],
  ["a whole number beyond 2^53-1", 2 ** 53],
  ["an enormous number", 1e300],
  ["a bigint beyond 2^53-1", 2n ** 53n],
  ["a bigint far beyond", -(10n ** 400n)],
  ["U+0000", "a\0b"],
  ["U+0000 in a name", { "a\0b": 1 }],
  ["a high surrogate alone", "\ud83d"],
  ["a low surrogate alone", "x\ude00y"],
  ["two surrogates in the wrong order", "\ude00\ud83d"],
  ["half of a pair in a name", { "\ud83d": 1 }],
  ["a Date", new Date(0)],
  ["a Map", new Map([["a", 1]])],
  ["a Set", new Set([1])],
  ["a RegExp", /a/],
  ["an Error", new Error("a")],
  ["a promise", Promise.resolve(1)],
  ["a Buffer", Buffer.from("a")],
  ["a Uint8Array", new Uint8Array(2)],
  ["an ArrayBuffer", new ArrayBuffer(2)],
  ["a number as an object", Object(1)],
  ["text as an object", Object("a")],
  ["an instance with hidden state", new Money()],
  ["an object whose prototype holds members", Object.create({ a: 1 })],
  ["a subclass of Array", new (class extends Array {})()],
  ["a list with a hole", [1, , 2]],
  ["a list with a member of its own", Object.assign([1], { more: 2 })],
  [
    "a computed member",
    {
      get a() {
        return 1;
      },
    },
  ],
  ["a hidden member", Object.defineProperty({}, "a", { value: 1, enumerable: false })],
  ["toJSON", { toJSON: () => "something else" }],
  ["an object that holds itself", holdsItself],
];

function refused(question: unknown): PlacetError {
  try {
    asked(question as Question);
  } catch (error) {
    assert.ok(error instanceof PlacetError, String(error));
    assert.equal(error.reason, "INVALID_REQUEST");
    return error;
  }
  return assert.fail("it was not refused");
}

function about(field: string) {
  return (error: unknown) => error instanceof PlacetError && error.fields[0]?.field === field;
}

for (const [what, value] of LOST) {
  test(`${what} is refused with its path, and not dropped`, () => {
    const context = { run: [{ ok: 1 }, { value }] };
    const { fields, message } = refused({ ...READ, context });
    assert.match(fields[0]!.field, /^context\.run\[1\]\.value/, message);
    assert.match(refused({ ...READ, properties: { value } }).fields[0]!.field, /^resource\.properties\.value/);
    assert.match(
      refused({ ...READ, action: { name: "read", properties: { value } } }).fields[0]!.field,
      /^action\.properties\.value/,
    );
  });
}

test("all bad values are named at once, and at most 20", () => {
  const context = Object.fromEntries(Array.from({ length: 30 }, (_, index) => [`m${index}`, NaN]));
  assert.equal(refused({ ...READ, context }).fields.length, 20);
});

test("a member that a question does not have is refused: it was meant to say something", () => {
  assert.equal(refused({ ...READ, on_behalf_of: ["user:bob"] }).fields[0]!.field, "on_behalf_of");
  assert.equal(
    refused({ ...READ, subject: { type: "user", id: "a", role: "admin" } }).fields[0]!.field,
    "subject.role",
  );
  assert.equal(refused({ ...READ, onBehalfOf: undefined }).fields[0]!.field, "onBehalfOf");
  assert.equal(refused({ ...READ, context: undefined }).fields[0]!.field, "context");
  assert.equal(refused({ ...READ, context: [1] }).fields[0]!.field, "context");
  assert.equal(refused({ ...READ, context: null }).fields[0]!.field, "context");
  assert.equal(refused({ ...READ, onBehalfOf: "user:bob" }).fields[0]!.field, "onBehalfOf");
  assert.equal(refused({ ...READ, subject: "alice" }).fields[0]!.field, "subject");
  const hidden = Object.defineProperty({ ...READ }, "onBehalfOf", { value: ["user:bob"] });
  assert.equal(refused(hidden).fields[0]!.field, "onBehalfOf");
  assert.equal(refused(new Asking()).fields[0]!.field, "");
  assert.equal(refused({ ...READ, subject: new Asking() }).fields[0]!.field, "subject");
  assert.equal(refused({ action: "read", resource: "table:a" }).fields[0]!.field, "subject");
});

test("what is no object at all is refused by the same error", async () => {
  const client = new Client({ address: "127.0.0.1:1" });
  const guarded = guard({ client, action: "read", resource: "table:a" }, () => assert.fail("it ran"));
  const inOwnContext = guard({ client, action: "read", resource: "table:a", context: {} }, () => assert.fail("it ran"));
  for (const value of ["text", [1], Symbol("s"), null, undefined, 1, () => 1]) {
    assert.equal(refused(value).fields[0]!.field, "");
    await assert.rejects(client.authorize(value as never), PlacetError);
    await assert.rejects(guarded(value as never), about("context"));
    if (!Array.isArray(value))
      await assert.rejects(mask(client, { subject: "user:a", table: "t" }, value as never), about("rows"));
    await assert.rejects(mask(client, value as never, []), PlacetError);
  }
  await assert.rejects(guarded({ when: new Date() } as never), about("context.when"));
  await assert.rejects(inOwnContext({ when: new Date() } as never), about("argument.when"));
  client.close();
});

test("an id that a template made of no value is refused, unless it is meant", () => {
  const none: Record<string, string | undefined> = {};
  for (const id of [`${none["id"]}`, `${null}`, `${NaN}`, `${{}}`, `tenant:${none["id"]}`]) {
    for (const name of ["resource", "subject"]) {
      assert.equal(refused({ ...READ, [name]: `record:${id}` }).fields[0]!.field, name);
      assert.ok(asked({ ...READ, [name]: { type: "record", id } }));
    }
    assert.equal(refused({ ...READ, onBehalfOf: [`user:${id}`] }).fields[0]!.field, "onBehalfOf[0]");
  }
  for (const id of ["undefined-behaviour", "nullable", "not-null", "a:b"])
    assert.ok(asked({ ...READ, resource: `record:${id}` }));
});

test("text that begins like JSON is refused where a policy would look for a list, unless it is meant", () => {
  const question = { ...READ, properties: { tags: "[pii]" }, context: { note: "[draft] plan" } };
  assert.deepEqual(
    refused(question).fields.map(({ field }) => field),
    ["resource.properties.tags", "context.note"],
  );
  assert.ok(asked({ ...question, texts: ["tags", "note"] }));
});

test("whole bigints up to 2^53-1 are numbers", () => {
  const context = { rows: 9007199254740991n, least: -9007199254740991n };
  assert.match(
    canonical(asked({ ...READ, context })),
    /"context":\{"least":-9007199254740991,"rows":9007199254740991\}/,
  );
});
