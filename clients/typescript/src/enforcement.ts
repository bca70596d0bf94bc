import { randomUUID } from "node:crypto";

import type { Client } from "./client.js";
import type { Decision } from "./decision.js";
import { PlacetError } from "./errors.js";
import { type Approval, OutcomeState } from "./gen/pdp/v1/approval_pb.js";
import type { AuthorizeResponse } from "./gen/pdp/v1/decision_pb.js";
import type { GetServerInfoResponse } from "./gen/pdp/v1/info_pb.js";
import { type Claims, invalid, SpentGrants, verifyGrant } from "./grant.js";
import type { Asking } from "./message.js";
import { type Asked, canonical, digest, forChain } from "./question.js";

/** The question about what would run now, for this identity of the caller; made anew each time it is called. */
export type Build = (caller: string) => Asked;

/** How a permit is asked for. */
export interface Enforcing {
  readonly asking: Asking & { readonly requestId: string };
  /** Milliseconds that people have for their reviews. */
  readonly waitMs: number;
  readonly waiting: ((approval: Approval) => void) | undefined;
}

const SPENT = new SpentGrants();

/** People have to review first. After that, call again with the same `requestId`. */
export class ApprovalPending extends PlacetError {
  override readonly name = "ApprovalPending";

  constructor(
    readonly approvalId: string,
    readonly requestId: string,
  ) {
    super("FAILED_PRECONDITION", "APPROVAL_PENDING", `people have to review ${approvalId} first`, {
      metadata: { approval_id: approvalId, request_id: requestId },
    });
  }
}

/**
 * What the grant for one run says, which begins now: ask, wait for people, ask again using their approval, look again
 * at what is about to run, check the grant. Throws `Denied`, `ApprovalPending` or another `PlacetError`.
 */
export async function permit(client: Client, build: Build, enforcing: Enforcing): Promise<Claims> {
  const facts = await client.attempts(() => client.facts());
  const caller = facts.caller?.identity ?? "";
  const question = build(caller);
  const requireUnchanged = () => {
    if (canonical(build(caller)) === canonical(question)) return;
    const sentence = "what is about to run is not what was asked about: it changed meanwhile";
    throw new PlacetError("PERMISSION_DENIED", "ARGUMENTS_CHANGED", sentence);
  };
  const { response } = (await decided(client, question, enforcing, requireUnchanged)).require();
  const claims = await checked(client, question, response, facts);
  requireUnchanged();
  SPENT.spend(claims);
  return claims;
}

/** How the use of an approval ended. A report that fails must not hide the result. */
export async function report(
  client: Client,
  { approval }: Claims,
  outcome: { readonly error: unknown } | undefined,
): Promise<void> {
  if (!approval) return;
  const state = outcome ? OutcomeState.FAILED : OutcomeState.SUCCEEDED;
  const detail = outcome ? (outcome.error instanceof Error ? outcome.error.name : typeof outcome.error) : "";
  try {
    await client.call((call) => client.approvals.reportOutcome({ approvalId: approval, state, detail }, call));
  } catch (error) {
    process.emitWarning(`the outcome of ${approval} was not reported: ${String(error)}`, "PlacetWarning");
  }
}

/** The answer after the people's reviews. A question that changed meanwhile does not use their approval. */
async function decided(
  client: Client,
  question: Asked,
  { asking, waitMs, waiting }: Enforcing,
  requireUnchanged: () => void,
): Promise<Decision> {
  const end = performance.now() + waitMs;
  // A permit is for one run; another one may go on beside it or after a crash.
  const attempt = { ...asking, attemptId: randomUUID(), wantGrant: true };
  let decision = await client.decide(question, attempt);
  for (let isFirst = true; decision.needsApproval && decision.approval; isFirst = false) {
    const { approval } = decision;
    const timeoutMs = end - performance.now();
    if (timeoutMs <= 0) throw new ApprovalPending(approval.approvalId, asking.requestId);
    if (isFirst) waiting?.(approval);
    await client.wait(approval.approvalId, { timeoutMs });
    requireUnchanged();
    decision = await client.decide(question, { ...attempt, approvalId: approval.approvalId });
  }
  return decision;
}

/** The claims of an answer's grant. A key that is not known is looked for once more. */
async function checked(
  client: Client,
  question: Asked,
  answer: AuthorizeResponse,
  facts: GetServerInfoResponse,
): Promise<Claims> {
  try {
    return claimsFor(question, answer, facts, facts.jwks);
  } catch (error) {
    const { jwks } = await client.facts(true);
    if (jwks === facts.jwks) throw error;
    return claimsFor(question, answer, facts, jwks);
  }
}

/** The claims of the grant in an answer; throws `PlacetError` unless it is for this question and this decision. */
function claimsFor(question: Asked, answer: AuthorizeResponse, facts: GetServerInfoResponse, jwks: string): Claims {
  const text = canonical(forChain(question, answer.onBehalfOf));
  const expected = { realm: facts.realm, caller: facts.caller?.identity ?? "", digest: digest(text, facts.realm) };
  const claims = verifyGrant(answer.grant, jwks, expected);
  const approval = answer.approval?.approvalId;
  if (claims.jti !== answer.decisionId || (claims.approval ?? approval) !== approval) {
    throw invalid("jti", "is for another decision");
  }
  return claims;
}
