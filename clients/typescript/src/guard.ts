import { randomUUID } from "node:crypto";
import { types } from "node:util";

import type { Client } from "./client.js";
import type { Decision } from "./decision.js";
import { PlacetError } from "./errors.js";
import { type Approval, OutcomeState } from "./gen/pdp/v1/approval_pb.js";
import type { AuthorizeResponse } from "./gen/pdp/v1/decision_pb.js";
import type { GetServerInfoResponse } from "./gen/pdp/v1/info_pb.js";
import { type Claims, invalid, SpentGrants, verifyGrant } from "./grant.js";
import { jsonText } from "./json-text.js";
import { type Action, type Asked, asked, canonical, digest, type Entity, forChain, QUESTION, type Question, requireMembers } from "./question.js";

/** A value, or what gives it for the argument of a call. */
export type Told<Argument, Value> = Value | ((argument: Argument) => Value);

/** What a call is asked about. Functions get a copy of the argument; they are called again right before the run. */
export interface GuardOptions<Argument extends object> {
  readonly client: Client;
  readonly action: Told<Argument, Action>;
  readonly resource: Told<Argument, Entity>;
  /** The caller itself, unless given. */
  readonly subject?: Told<Argument, Entity>;
  readonly onBehalfOf?: Told<Argument, readonly Entity[]>;
  readonly properties?: Told<Argument, object>;
  /** The argument, unless given. */
  readonly context?: Told<Argument, object>;
  readonly texts?: readonly string[];
  readonly justification?: Told<Argument, string>;
  /** Names the call, for example by a tool-call id: the same call can go on later, once. */
  readonly requestId?: Told<Argument, string>;
  /** Milliseconds that people have for their reviews. Without it `ApprovalPending` comes at once. */
  readonly waitMs?: number;
  /** Hears of the approval for which a call begins to wait. */
  readonly waiting?: (approval: Approval) => void;
}

const OPTIONS = ["client", ...QUESTION, "justification", "requestId", "waitMs", "waiting"];
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
 * A function that runs only as Placet allows it, call by call: `guard({client, action, resource}, f)`.
 *
 * 1. It takes one plain object, which is the context of the question unless `context` says what matters instead. What
 *    JSON cannot carry is refused with its path.
 * 2. It asks, waits for people, asks again with their approval, and checks that what is about to run is what was asked
 *    about and that the grant is for exactly that. Then `f` runs, once, with the argument decoded anew from the JSON that
 *    was asked about: a bigint comes as a number, and what anybody changes in the object meanwhile counts for nothing.
 * 3. How it ended is reported where an approval was used. A promise is awaited first; an iterator or a stream, which
 *    would run after its call, is closed and refused.
 *
 * Throws `Denied`, `ApprovalPending` or another `PlacetError` before `f` begins.
 */
export function guard<Argument extends object, Result>(
  options: GuardOptions<Argument>,
  f: (argument: Argument) => Result | Promise<Result>,
): (argument: Argument) => Promise<Result> {
  requireMembers(options, "", OPTIONS);
  if (types.isGeneratorFunction(f)) throw new TypeError("a generator runs after its call; guard what uses it");
  return async (argument) => {
    const call = new Call(options, argument);
    const permit = await call.permit();
    let outcome: { readonly error: unknown } | undefined;
    try {
      return await ended(await f(call.argument()));
    } catch (error) {
      outcome = { error };
      throw error;
    } finally {
      await report(options.client, permit, outcome);
    }
  };
}

class Call<Argument extends object> {
  readonly #text: string;
  readonly #requestId: string;

  constructor(
    private readonly options: GuardOptions<Argument>,
    argument: Argument,
  ) {
    if (Array.isArray(argument)) throw new TypeError("a guarded function takes one plain object");
    this.#text = jsonText(argument, "");
    this.#requestId = this.#told(options.requestId) || randomUUID();
  }

  /** The argument as it was at the call, made anew each time. */
  argument(): Argument {
    return JSON.parse(this.#text) as Argument;
  }

  /** What the grant for the run that begins now says. */
  async permit(): Promise<Claims> {
    const { client } = this.options;
    const facts = await client.attempts(() => client.facts());
    const question = this.#question(facts);
    const decision = (await this.#decided(question, facts)).require();
    const claims = await this.#claims(question, decision.response, facts);
    this.#requireUnchanged(question, facts);
    SPENT.spend(claims);
    return claims;
  }

  #question(facts: GetServerInfoResponse): Asked {
    const given = QUESTION.filter((name) => name in this.options).map((name) => [name, this.#told(this.options[name])] as const);
    const subject = facts.caller?.identity ?? "";
    return asked({ subject, context: this.argument(), ...(Object.fromEntries(given) as Partial<Question>) } as Question);
  }

  #told<Value>(value: Told<Argument, Value>): Value {
    return typeof value === "function" ? (value as (argument: Argument) => Value)(this.argument()) : value;
  }

  /** The answer after the people's reviews. A request that changed meanwhile does not use their approval. */
  async #decided(question: Asked, facts: GetServerInfoResponse): Promise<Decision> {
    const { client, waitMs = 0, waiting, justification } = this.options;
    const end = performance.now() + waitMs;
    const asking = {
      requestId: this.#requestId,
      attemptId: randomUUID(), // a permit is for one run; another one may go on beside it or after a crash
      justification: this.#told(justification) ?? "",
      wantGrant: true,
    };
    let decision = await client.decide(question, asking);
    for (let isFirst = true; decision.needsApproval && decision.approval; isFirst = false) {
      const { approval } = decision;
      const timeoutMs = end - performance.now();
      if (timeoutMs <= 0) throw new ApprovalPending(approval.approvalId, this.#requestId);
      if (isFirst) waiting?.(approval);
      await client.wait(approval.approvalId, { timeoutMs });
      this.#requireUnchanged(question, facts);
      decision = await client.decide(question, { ...asking, approvalId: approval.approvalId });
    }
    return decision;
  }

  /** The claims of the grant, which holds for this question. A key that is not known is looked for once more. */
  async #claims(question: Asked, answer: AuthorizeResponse, facts: GetServerInfoResponse): Promise<Claims> {
    try {
      return claimsFor(question, answer, facts, facts.jwks);
    } catch (error) {
      const { jwks } = await this.options.client.facts(true);
      if (jwks === facts.jwks) throw error;
      return claimsFor(question, answer, facts, jwks);
    }
  }

  #requireUnchanged(question: Asked, facts: GetServerInfoResponse): void {
    if (canonical(this.#question(facts)) === canonical(question)) return;
    const sentence = "what is about to run is not what was asked about: it changed meanwhile";
    throw new PlacetError("PERMISSION_DENIED", "ARGUMENTS_CHANGED", sentence);
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

/** How the use of an approval ended. A report that fails must not hide the result. */
async function report(client: Client, { approval }: Claims, outcome: { readonly error: unknown } | undefined): Promise<void> {
  if (!approval) return;
  const state = outcome ? OutcomeState.FAILED : OutcomeState.SUCCEEDED;
  const detail = outcome ? (outcome.error instanceof Error ? outcome.error.name : typeof outcome.error) : "";
  try {
    await client.call((call) => client.approvals.reportOutcome({ approvalId: approval, state, detail }, call));
  } catch (error) {
    process.emitWarning(`the outcome of ${approval} was not reported: ${String(error)}`, "PlacetWarning");
  }
}

/** The result of a run that has ended. */
async function ended<Result>(result: Result): Promise<Result> {
  const later = result as Partial<Later> | null | undefined;
  if (typeof later !== "object" || later === null) return result;
  const isLater = Symbol.asyncIterator in later || typeof later.next === "function" || typeof later.getReader === "function";
  if (!isLater) return result;
  try {
    await (later.destroy ?? later.cancel ?? later.return)?.call(later);
  } catch {
    // it has its error already
  }
  throw new TypeError("the guarded function gave an iterator or a stream, which runs after its call; guard what uses it");
}

interface Later {
  next: unknown;
  getReader: unknown;
  destroy(): unknown;
  cancel(): unknown;
  return(): unknown;
}
