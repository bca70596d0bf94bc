import { create, type JsonObject } from "@bufbuild/protobuf";

import { type AuthorizeRequest, AuthorizeRequestSchema } from "./gen/pdp/v1/decision_pb.js";
import type { GetServerInfoResponse } from "./gen/pdp/v1/info_pb.js";
import { type Asked, canonical, digest, type Part } from "./question.js";

/** What goes with a question beside what is decided. */
export interface Asking {
  /** Names the intended execution, for example your tool-call id: a later call with it goes on with its approval. */
  readonly requestId?: string;
  /** Names the attempt to run it. Each call is an attempt of its own unless it says otherwise. */
  readonly attemptId?: string;
  readonly approvalId?: string;
  readonly supersedes?: string;
  /** Your words for the reviewers. */
  readonly justification?: string;
  readonly dryRun?: boolean;
  readonly explain?: boolean;
  readonly wantGrant?: boolean;
}

/** The names of an `Asking`. */
export const ASKING = [
  ...(["requestId", "attemptId", "approvalId", "supersedes"] as const),
  ...(["justification", "dryRun", "explain", "wantGrant"] as const),
];

/** What of `given` is an `Asking`, and the rest. */
export function split<Given extends Asking>(given: Given): { asking: Asking; rest: Omit<Given, keyof Asking> } {
  const names: readonly string[] = ASKING;
  const [asking, rest] = [true, false].map((is) =>
    Object.entries(given).filter(([name]) => names.includes(name) === is),
  );
  return { asking: Object.fromEntries(asking!), rest: Object.fromEntries(rest!) as Omit<Given, keyof Asking> };
}

/** The contract's message. What older servers do not know is sent only to one that lists it. */
export function authorizeRequest(question: Asked, asking: Asking, facts: GetServerInfoResponse): AuthorizeRequest {
  return create(AuthorizeRequestSchema, {
    ...asking,
    ...about(question, facts),
    action: { name: question.action.name, ...properties(question.action.properties, facts) },
    resource: part(question.resource, facts),
  });
}

/** Those members of a question that a mask's scope has, too. */
export function about(question: Asked, facts: GetServerInfoResponse) {
  const { context } = question;
  const isText = facts.features.includes("context_json");
  return {
    subject: part(question.subject, facts),
    onBehalfOf: question.onBehalfOf.map((principal) => part(principal, facts)),
    ...(isText ? { contextJson: context } : { context: JSON.parse(context) as JsonObject }),
    ...(facts.features.includes("expected_digest") && { expectedDigest: digest(canonical(question), facts.realm) }),
  };
}

function part({ type, id, properties: free }: Part, facts: GetServerInfoResponse) {
  return { type, id, ...properties(free, facts) };
}

function properties(text: string, { features }: GetServerInfoResponse) {
  const isText = features.includes("properties_json");
  return isText ? { propertiesJson: text } : { properties: JSON.parse(text) as JsonObject };
}
