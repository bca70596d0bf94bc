import {
  Message,
  MessageHeader,
  type RecordBatch,
  RecordBatchStreamWriter,
  type Schema,
  Table,
  tableFromIPC,
} from "apache-arrow";

import type { Client } from "./client.js";
import type { Decision } from "./decision.js";
import { PlacetError, placetError } from "./errors.js";
import type { MaskPlan, StreamEnd } from "./gen/pdp/v1/mask_pb.js";
import { maskScope, type Scope, withIds } from "./mask.js";

/** A masked table; `table` is there only with an allow whose obligations this program understands. */
export interface MaskedTable {
  readonly decision: Decision;
  readonly plan?: MaskPlan;
  readonly table?: Table;
  readonly recordId?: string;
}

/** What is masked: a table, or batches of one schema that are read as the server takes them. */
export type Batches = Table | Iterable<RecordBatch> | AsyncIterable<RecordBatch>;

/**
 * Masks any number of rows as the policy says for this subject and table.
 *
 * It gives the whole masked table or nothing: what came before an error, or without the server's `end`, or is not as
 * many rows as were sent and counted, is thrown away with a `PlacetError`.
 */
export async function maskStream(client: Client, scope: Scope, batches: Batches): Promise<MaskedTable> {
  const facts = await client.attempts(() => client.facts());
  const source = new Source(batches, Number(facts.limits?.messageBytes ?? 0n) / 2);
  const start = { scope: maskScope(withIds(scope), "mask", facts), shape: await source.shape() };
  const answers = client.masks.maskStream(source.requests(start), { timeoutMs: 0 });
  const parts: Uint8Array[] = [];
  let decision: Decision | undefined;
  let plan: MaskPlan | undefined;
  let end: StreamEnd | undefined;
  try {
    for await (const { message } of answers) {
      if (message.case === "arrowMessage") parts.push(message.value);
      if (message.case === "end") end = message.value;
      if (message.case !== "opened") continue;
      decision = client.decision(message.value.decision!);
      plan = message.value.plan;
      if (!decision.allowed || !plan) return { decision };
      parts.push(plan.outputSchema);
    }
  } catch (error) {
    throw source.failure ?? placetError(error);
  }
  if (!decision || !plan || !end) throw incomplete("the stream ended before all was masked");
  const table = tableFromIPC(Buffer.concat(parts));
  if (BigInt(source.rows) !== end.rows || table.numRows !== source.rows) {
    throw incomplete(`${source.rows} rows were sent, ${end.rows} masked, and ${table.numRows} came back`);
  }
  return { decision, plan, table, recordId: end.recordId };
}

/** Batches on their way out, each as messages of at most half of what a server takes. */
class Source {
  rows = 0;
  /** What reading the batches threw. */
  failure: unknown;
  readonly #batches: AsyncIterator<RecordBatch> | Iterator<RecordBatch>;
  readonly #dictionaries = new Map<string, Buffer>();
  #first: RecordBatch | undefined;
  #schema: Schema | undefined;

  constructor(
    batches: Batches,
    private readonly messageBytes: number,
  ) {
    const read = batches instanceof Table ? batches.batches : batches;
    this.#schema = batches instanceof Table ? batches.schema : undefined;
    this.#batches = Symbol.asyncIterator in read ? read[Symbol.asyncIterator]() : read[Symbol.iterator]();
  }

  async shape() {
    if (!this.#schema) {
      const { done, value } = await this.#batches.next();
      if (done) throw new PlacetError("INVALID_ARGUMENT", "INVALID_REQUEST", "there is no batch that tells the schema");
      this.#first = value;
      this.#schema = value.schema;
    }
    const value = framed(new RecordBatchStreamWriter().reset(undefined, this.#schema).finish().toUint8Array(true))[0]!
      .bytes;
    return { shape: { case: "arrowSchema" as const, value } };
  }

  async *requests<Start>(start: Start) {
    yield { message: { case: "start" as const, value: start } };
    for (let batch = this.#first ?? (await this.#next()); batch; batch = await this.#next()) {
      this.rows += batch.numRows;
      for (const value of this.#messages(batch)) yield { message: { case: "arrowMessage" as const, value } };
    }
  }

  async #next(): Promise<RecordBatch | undefined> {
    try {
      const { done, value } = await this.#batches.next();
      return done ? undefined : value;
    } catch (error) {
      this.failure = error;
      throw error;
    }
  }

  *#messages(batch: RecordBatch): Generator<Uint8Array> {
    const messages = framed(RecordBatchStreamWriter.writeAll([batch]).toUint8Array(true));
    const size = messages.at(-1)!.bytes.length;
    const pieces = Math.min(Math.ceil(size / this.messageBytes), batch.numRows);
    if (pieces > 1) {
      const rows = Math.ceil(batch.numRows / pieces);
      for (let at = 0; at < batch.numRows; at += rows) yield* this.#messages(batch.slice(at, at + rows));
      return;
    }
    for (const { kind, bytes, id } of messages) {
      if (kind === MessageHeader.Schema) continue;
      if (kind === MessageHeader.DictionaryBatch && this.#dictionaries.get(id)?.equals(bytes)) continue;
      if (kind === MessageHeader.DictionaryBatch) this.#dictionaries.set(id, bytes);
      yield bytes;
    }
  }
}

interface Framed {
  readonly kind: MessageHeader;
  readonly bytes: Buffer;
  /** Of a dictionary. */
  readonly id: string;
}

/** The encapsulated messages of an IPC stream: a mark and a length (4 bytes each), metadata, body. */
function framed(stream: Uint8Array): Framed[] {
  const all = Buffer.from(stream.buffer, stream.byteOffset, stream.byteLength);
  const found: Framed[] = [];
  for (let at = 0, length; at + 8 <= all.length && (length = all.readInt32LE(at + 4)) > 0;) {
    const message = Message.decode(all.subarray(at + 8, at + 8 + length));
    const end = at + 8 + length + message.bodyLength;
    const id = message.isDictionaryBatch() ? String(message.header().id) : "";
    found.push({ kind: message.headerType, bytes: all.subarray(at, end), id });
    at = end;
  }
  return found;
}

function incomplete(why: string): PlacetError {
  return new PlacetError("DATA_LOSS", "STREAM_INCOMPLETE", `${why}; nothing of it may be used`);
}
