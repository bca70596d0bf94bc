import { PlacetError } from "./errors.js";
import type { Approval } from "./gen/pdp/v1/approval_pb.js";
import type { AuthorizeResponse } from "./gen/pdp/v1/decision_pb.js";
import { Effect } from "./gen/pdp/v1/request_pb.js";

/** An answer, or the error that came instead of one. Whatever is not a clear allow is not allowed. */
export class Decision {
  readonly #understood: ReadonlySet<string>;

  constructor(
    readonly response: AuthorizeResponse,
    understood: ReadonlySet<string>,
    readonly error?: PlacetError,
  ) {
    this.#understood = understood;
  }

  /** A real allow with obligations that this program declared to understand. Meet them before acting. */
  get allowed(): boolean {
    const { effect, dryRun } = this.response;
    return !this.error && effect === Effect.ALLOW && !dryRun && this.unknownObligations.length === 0;
  }

  /** People have to review first: `approval` names what they review. */
  get needsApproval(): boolean {
    return !this.error && this.response.effect === Effect.NEEDS_APPROVAL;
  }

  /** The approval that the answer is about. */
  get approval(): Approval | undefined {
    return this.response.approval;
  }

  /** The types of obligations that turn the allow into a deny here. */
  get unknownObligations(): string[] {
    return this.response.obligations.map(({ type }) => type).filter((type) => !this.#understood.has(type));
  }

  /** One line for a log or a person; it names the decision. */
  get why(): string {
    if (this.error) return this.error.message;
    const { effect, reasons, dryRun, decisionId } = this.response;
    const said = reasons.map(({ reason, rule }) => `${reason} [${rule}]`).join("; ");
    const unknown =
      this.unknownObligations.length > 0 ? `; unknown obligations ${this.unknownObligations.join(", ")}` : "";
    const dry = dryRun ? "; only a dry run" : "";
    return `${Effect[effect] ?? `EFFECT_${effect}`}: ${said}${unknown}${dry} (${decisionId})`;
  }

  /** This decision if it allows; throws `Denied` otherwise. */
  require(): this {
    if (!this.allowed) throw new Denied(this);
    return this;
  }
}

/** `Decision.require` met a decision that does not allow; `decision` says why. */
export class Denied extends PlacetError {
  override readonly name = "Denied";

  constructor(readonly decision: Decision) {
    const { code, reason, fields, metadata, retryAfterMs } =
      decision.error ?? new PlacetError("PERMISSION_DENIED", "DENIED", "");
    super(code, reason, decision.error?.sentence ?? decision.why, { fields, metadata, retryAfterMs });
    this.message = decision.why;
  }
}
