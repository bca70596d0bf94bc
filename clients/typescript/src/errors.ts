import { Code, ConnectError } from "@connectrpc/connect";

import { BadRequestSchema, ErrorInfoSchema, RetryInfoSchema } from "./gen/google/rpc/error_details_pb.js";

/** Codes that the library below gives calls whose connection did not come about, or broke. */
const OF_NODE = [Code.Internal, Code.Aborted, Code.Canceled];
/** How it says of a call that its connection took it along. */
const TAKEN_ALONG = /^http\/2 stream closed with error code (?:CANCEL|REFUSED_STREAM)/;

/** A field that is not accepted: its path, for example `resource.properties.tags[0]`, and what to do about it. */
export interface BadField {
  readonly field: string;
  readonly description: string;
}

/** What an error says beside its code, reason and sentence. */
export interface ErrorDetails {
  readonly fields?: readonly BadField[];
  readonly metadata?: Readonly<Record<string, string>>;
  readonly retryAfterMs?: number | undefined;
}

/**
 * The one error of this package: what a server refused, what a value cannot carry, and what does not allow a run.
 *
 * `code` is the name of a gRPC status, `reason` a stable word within it. `retryAfterMs` is when a retry can help;
 * without it, none is advised.
 */
export class PlacetError extends Error {
  override readonly name: string = "PlacetError";
  readonly fields: readonly BadField[];
  readonly metadata: Readonly<Record<string, string>>;
  readonly retryAfterMs: number | undefined;

  constructor(
    readonly code: string,
    readonly reason: string,
    readonly sentence: string,
    details: ErrorDetails = {},
  ) {
    super(`${reason}: ${sentence}`);
    this.fields = details.fields ?? [];
    this.metadata = details.metadata ?? {};
    this.retryAfterMs = details.retryAfterMs;
  }
}

/** Fields that this client refuses itself, in the words of the server's error for those that it refuses. */
export function invalidRequest(fields: readonly BadField[]): PlacetError {
  const sentence = fields.map(({ field, description }) => `${field || "the value"} ${description}`).join("; ");
  return new PlacetError("INVALID_ARGUMENT", "INVALID_REQUEST", sentence, { fields });
}

/** What a call threw, as `PlacetError`; without details of Placet's its reason is the code. */
export function placetError(thrown: unknown): PlacetError {
  const error = ConnectError.from(thrown);
  if (error.cause instanceof PlacetError) return error.cause;
  const [info] = error.findDetails(ErrorInfoSchema);
  const [bad] = error.findDetails(BadRequestSchema);
  const [retry] = error.findDetails(RetryInfoSchema);
  const code = !info && isOfConnection(error) ? "UNAVAILABLE" : nameOf(error.code);
  return new PlacetError(code, info?.reason ?? code, error.rawMessage.replace(/\s+/g, " ") || "no answer", {
    fields: (bad?.fieldViolations ?? []).map(({ field, description }) => ({ field, description })),
    metadata: info?.metadata ?? {},
    retryAfterMs: retry?.retryDelay && Number(retry.retryDelay.seconds) * 1000 + retry.retryDelay.nanos / 1e6,
  });
}

function isOfConnection({ code, cause, rawMessage }: ConnectError): boolean {
  const isOfNode = typeof (cause as { code?: unknown } | undefined)?.code === "string";
  return OF_NODE.includes(code) && (isOfNode || TAKEN_ALONG.test(rawMessage));
}

/** `InvalidArgument` is `INVALID_ARGUMENT`; `Canceled` has two l in gRPC. */
function nameOf(code: Code): string {
  return code === Code.Canceled ? "CANCELLED" : Code[code].replace(/(?<=[a-z])(?=[A-Z])/g, "_").toUpperCase();
}
