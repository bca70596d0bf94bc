import { randomUUID } from "node:crypto";

import { create } from "@bufbuild/protobuf";

import type { Client } from "./client.js";
import type { Decision } from "./decision.js";
import { invalidRequest, PlacetError } from "./errors.js";
import type { GetServerInfoResponse } from "./gen/pdp/v1/info_pb.js";
import { type MaskPlan, type MaskScope, MaskScopeSchema } from "./gen/pdp/v1/mask_pb.js";
import { jsonText } from "./json-text.js";
import { about, type Asking, split } from "./message.js";
import { asked, type Entity, requireMembers } from "./question.js";

/** Who masks which table. */
export interface Scope extends Pick<Asking, "requestId" | "attemptId" | "approvalId" | "justification"> {
  readonly subject: Entity;
  readonly onBehalfOf?: readonly Entity[];
  /** The table's name as the policy knows it. */
  readonly table: string;
  readonly context?: object;
  readonly texts?: readonly string[];
}

const SCOPE = [
  ...["subject", "onBehalfOf", "table", "context", "texts"],
  ...["requestId", "attemptId", "approvalId", "justification"],
];

/** A masking; `rows` are there only with an allow whose obligations this program understands. */
export interface Masked {
  readonly decision: Decision;
  readonly plan?: MaskPlan;
  readonly rows?: unknown[];
  readonly recordId?: string;
}

/**
 * Masks a few rows, which are JSON values, as the policy says for this subject and table; all of them or none.
 *
 * Throws `PlacetError`, also where a row holds what JSON cannot carry. For more than 4 MiB see `placet/arrow`.
 */
export async function mask(client: Client, scope: Scope, rows: readonly unknown[]): Promise<Masked> {
  if (!Array.isArray(rows)) throw invalidRequest([{ field: "rows", description: "are not a list" }]);
  const records = rows.map((row, index) => jsonText(row, `rows[${index}]`, "as given"));
  const identified = withIds(scope);
  const answer = await client.attempts(async (options) => {
    const scope = maskScope(identified, "mask", await client.facts(false, options.timeoutMs));
    return client.masks.mask({ scope, data: { data: { case: "records", value: { records } } } }, options);
  });
  const decision = client.decision(answer.decision!);
  if (!decision.allowed) return { decision };
  const data = answer.data?.data;
  if (data?.case !== "records" || data.value.records.length !== rows.length || !answer.plan) {
    throw new PlacetError("DATA_LOSS", "STREAM_INCOMPLETE", "other rows came back than were sent; nothing may be used");
  }
  const masked = data.value.records.map((text): unknown => JSON.parse(text));
  return { decision, plan: answer.plan, rows: masked, recordId: answer.recordId };
}

/** A scope as one execution and one attempt, unless it says which. */
export function withIds(scope: Scope): Scope {
  requireMembers(scope, "", SCOPE);
  return { ...scope, requestId: scope.requestId || randomUUID(), attemptId: scope.attemptId || randomUUID() };
}

/** The contract's message, with the digest of what is asked about. */
export function maskScope(scope: Scope, action: "mask" | "unmask" | "rewrap", facts: GetServerInfoResponse): MaskScope {
  const { asking, rest } = split(scope);
  const { table, ...question } = rest;
  const what = asked({ ...question, action, resource: { type: "table", id: table } });
  return create(MaskScopeSchema, { ...asking, table, ...about(what, facts) });
}
