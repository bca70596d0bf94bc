import { randomUUID } from "node:crypto";

import { create } from "@bufbuild/protobuf";
import { type CallOptions, type Client as Service, createClient } from "@connectrpc/connect";

import { Backoff } from "./backoff.js";
import { Decision } from "./decision.js";
import { PlacetError, placetError } from "./errors.js";
import { type Approval, ApprovalService } from "./gen/pdp/v1/approval_pb.js";
import { AuditService } from "./gen/pdp/v1/audit_pb.js";
import { type AuthorizeResponse, AuthorizeResponseSchema, DecisionService } from "./gen/pdp/v1/decision_pb.js";
import { type GetServerInfoResponse, InfoService } from "./gen/pdp/v1/info_pb.js";
import { MaskService } from "./gen/pdp/v1/mask_pb.js";
import { Effect } from "./gen/pdp/v1/request_pb.js";
import { ReviewService } from "./gen/pdp/v1/review_pb.js";
import { type Link, linked, type LinkOptions } from "./link.js";
import { ASKING, type Asking, authorizeRequest, split } from "./message.js";
import { type Asked, asked, canonical, digest, forChain, QUESTION, type Question, requireMembers } from "./question.js";
import { waited, type WaitOptions } from "./waiting.js";

export interface ClientOptions extends LinkOptions {
  /** Milliseconds that a call may take with all its attempts. */
  readonly timeoutMs?: number;
  /** The types of obligations that this program meets. An allow with any other is a no. */
  readonly understands?: readonly string[];
}

const OPTIONS = [
  ...["address", "token", "tokenFile", "ca", "certificate", "key", "keepaliveMs", "timeoutMs", "understands"],
];
const TIMEOUT_MS = 5_000;
/** Attempts of one call while the server is away; with their pauses they fit into the timeout. */
const ATTEMPTS = 4;
/** After these the server may be another one. The second stands for a field, too, that an older server does not know. */
const OF_ANOTHER_SERVER = ["UNAVAILABLE", "INVALID_ARGUMENT", "REQUEST_DIFFERS"];
/** With these nothing was decided, because the server is another one than the facts were of. */
const DIFFERING = ["REQUEST_DIFFERS", "DIGEST_REQUIRED"];
/** How Node says that nothing listens. */
const NOBODY = /ECONNREFUSED|ENOENT|ENOTFOUND/;

/** A connection to a Placet server. It opens at the first call; `close` it, or the process waits for it. */
export class Client {
  readonly decisions: Service<typeof DecisionService>;
  readonly approvals: Service<typeof ApprovalService>;
  readonly reviews: Service<typeof ReviewService>;
  readonly masks: Service<typeof MaskService>;
  readonly audit: Service<typeof AuditService>;
  readonly info: Service<typeof InfoService>;
  readonly timeoutMs: number;
  readonly #link: Link;
  readonly #understood: ReadonlySet<string>;
  #facts: Promise<GetServerInfoResponse> | undefined;
  #isAsking = false;

  /** Throws `PlacetError` where the options cannot be used. */
  constructor(options: ClientOptions = {}) {
    for (const name of Object.keys(options)) {
      if (!OPTIONS.includes(name))
        throw new PlacetError("INVALID_ARGUMENT", "INVALID_OPTION", `no option is named ${name}`);
    }
    this.timeoutMs = options.timeoutMs ?? TIMEOUT_MS;
    this.#understood = new Set(options.understands);
    this.#link = linked(options, (error) => this.#noticed(placetError(error)));
    const { transport } = this.#link;
    this.decisions = createClient(DecisionService, transport);
    this.approvals = createClient(ApprovalService, transport);
    this.reviews = createClient(ReviewService, transport);
    this.masks = createClient(MaskService, transport);
    this.audit = createClient(AuditService, transport);
    this.info = createClient(InfoService, transport);
  }

  close(): void {
    this.#link.close();
  }

  /**
   * May `subject` do `action` to `resource`? An answer and an error of the server are both a `Decision`; throws
   * `PlacetError` only where the question cannot be sent.
   */
  async authorize(question: Question & Asking): Promise<Decision> {
    requireMembers(question, "", [...QUESTION, ...ASKING]);
    const { asking, rest } = split(question);
    return this.decide(asked(rest), asking);
  }

  /** `authorize` for a question that was checked. */
  async decide(question: Asked, asking: Asking): Promise<Decision> {
    const ids = { ...asking, requestId: asking.requestId || randomUUID(), attemptId: asking.attemptId || randomUUID() };
    try {
      const response = await this.attempts(async (options) => {
        const facts = await this.facts(false, options.timeoutMs);
        const answer = await this.decisions.authorize(authorizeRequest(question, ids, facts), options);
        requireThis(question, answer, facts.realm);
        return answer;
      });
      response.dryRun ||= ids.dryRun ?? false;
      return this.decision(response);
    } catch (error) {
      return new Decision(create(AuthorizeResponseSchema), this.#understood, placetError(error));
    }
  }

  /** An answer, read with the obligations that this program understands. */
  decision(response: AuthorizeResponse): Decision {
    return new Decision(response, this.#understood);
  }

  /** The answer of a method of `decisions`, `approvals` and so on, within the timeout. Throws `PlacetError`. */
  async call<Answer>(rpc: (options: CallOptions) => Promise<Answer>, timeoutMs = this.timeoutMs): Promise<Answer> {
    const end = performance.now() + timeoutMs;
    try {
      return await rpc({
        get timeoutMs() {
          return Math.max(Math.ceil(end - performance.now()), 1); // as the call begins; gRPC takes no fractions
        },
      });
    } catch (thrown) {
      const error = placetError(thrown);
      this.#noticed(error);
      throw this.#advised(error);
    }
  }

  /**
   * The same. While the server is away it is asked again, as long as the timeout and the attempts last; at once and once,
   * where the server turns out to be another one than the facts were of.
   */
  async attempts<Answer>(rpc: (options: CallOptions) => Promise<Answer>): Promise<Answer> {
    const end = performance.now() + this.timeoutMs;
    const backoff = new Backoff();
    for (let attempt = 1; ; attempt++) {
      const left = end - performance.now();
      try {
        return await this.call(rpc, left);
      } catch (error) {
        if (attempt === 1 && error instanceof PlacetError && DIFFERING.includes(error.reason)) continue;
        const isAway = error instanceof PlacetError && error.code === "UNAVAILABLE";
        if (!isAway || attempt === ATTEMPTS || end - performance.now() <= backoff.ms) throw error;
      }
      await backoff.pause(end - performance.now());
    }
  }

  /**
   * The approval as soon as it is PENDING no longer, or as it is after `timeoutMs`. Throws `PlacetError`.
   *
   * Act only on one that is APPROVED. While the server is away it is asked again, with the token of then.
   */
  async wait(approvalId: string, options: WaitOptions): Promise<Approval> {
    const approval = await waited(this.approvals, this.#link.token, approvalId, options);
    return approval ?? (await this.call((call) => this.approvals.getApproval({ approvalId }, call))).approval!;
  }

  /** Realm, keys, limits and who the caller is: asked once a connection, and where they may be others by now. */
  async facts(anew = false, timeoutMs = this.timeoutMs): Promise<GetServerInfoResponse> {
    if (anew || !(this.#isAsking || this.#link.isConnected)) this.#facts = undefined;
    this.#facts ??= this.#asked(timeoutMs);
    return this.#facts;
  }

  async #asked(timeoutMs: number): Promise<GetServerInfoResponse> {
    this.#isAsking = true;
    try {
      return await this.call((options) => this.info.getServerInfo({}, options), timeoutMs);
    } catch (error) {
      this.#facts = undefined;
      throw error;
    } finally {
      this.#isAsking = false;
    }
  }

  #noticed({ code, reason }: PlacetError): void {
    if ([code, reason].some((word) => OF_ANOTHER_SERVER.includes(word))) this.#facts = undefined;
  }

  /** The error, with what to do about it where a setting may be the cause. */
  #advised(error: PlacetError): PlacetError {
    if (error.reason !== "UNAVAILABLE" || !NOBODY.test(error.sentence)) return error;
    const sentence = `nothing answers at ${this.#link.address}: start \`pdp dev\`, or name the server with \`address\` or PDP_ADDRESS`;
    return new PlacetError(error.code, error.reason, sentence);
  }
}

/** An allow is of this very question: a server that does not know `expected_digest` may have decided another one. */
function requireThis(question: Asked, answer: AuthorizeResponse, realm: string): void {
  if (answer.effect !== Effect.ALLOW) return;
  if (answer.requestDigest !== digest(canonical(forChain(question, answer.onBehalfOf)), realm)) {
    throw new PlacetError(
      "DATA_LOSS",
      "REQUEST_DIFFERS",
      "the server allowed another request than the one that was asked",
    );
  }
}
