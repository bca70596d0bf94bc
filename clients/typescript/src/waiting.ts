import { setTimeout as sleep } from "node:timers/promises";

import type { Client as Service } from "@connectrpc/connect";

import { Backoff } from "./backoff.js";
import { invalidRequest, type PlacetError, placetError } from "./errors.js";
import { type Approval, type ApprovalService, ApprovalState } from "./gen/pdp/v1/approval_pb.js";
import type { Token } from "./link.js";

export interface WaitOptions {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
  /** Hears why the connection broke, and undefined when it is there again. */
  readonly told?: (error: PlacetError | undefined) => void;
}

/** What one call may take: the 60 s of the server, and the way. */
const CALL_MS = 65_000;
/** Less is not worth another call. */
const SHORTEST_MS = 100;
/** How long a token that has ended may be there before the next one, and the pause between two looks. */
const RENEWAL_MS = 10_000;
const LOOK_MS = 200;
/** A connection that breaks cancels its calls, and so does the caller's `signal`. */
const MAY_PASS = ["UNAVAILABLE", "DEADLINE_EXCEEDED", "CANCELLED"];

/** The approval as soon as it is PENDING no longer; undefined when the time is over. Throws `PlacetError`. */
export async function waited(
  approvals: Service<typeof ApprovalService>,
  token: Token,
  approvalId: string,
  { timeoutMs, signal, told }: WaitOptions,
): Promise<Approval | undefined> {
  if (!(timeoutMs >= 0)) throw invalidRequest([{ field: "timeoutMs", description: "is not a number of milliseconds" }]);
  const end = performance.now() + timeoutMs;
  const backoff = new Backoff();
  let isBroken = false;
  for (let left = timeoutMs, refused = ""; left > SHORTEST_MS; left = end - performance.now()) {
    const used = await token();
    try {
      const options = { timeoutMs: Math.ceil(Math.min(left, CALL_MS)), ...(signal && { signal }) };
      const { approval } = await approvals.waitApproval({ approvalId }, options);
      backoff.reset();
      refused = "";
      if (isBroken) told?.(undefined);
      isBroken = false;
      if (approval?.state !== ApprovalState.PENDING) return approval;
    } catch (thrown) {
      const error = placetError(thrown);
      if (error.code === "UNAUTHENTICATED" && !refused && (await isRenewed(token, used))) {
        refused = used; // a new token that is refused, too, ends the wait
        continue;
      }
      if (!MAY_PASS.includes(error.code) || signal?.aborted) throw error;
      if (!isBroken && end - performance.now() > SHORTEST_MS) told?.(error);
      isBroken = true;
      await backoff.pause(end - performance.now(), signal);
    }
  }
  return undefined;
}

/** Whether another token than the `used` one is there, now or in a moment. */
async function isRenewed(token: Token, used: string): Promise<boolean> {
  for (let waitedMs = 0; waitedMs < RENEWAL_MS; waitedMs += LOOK_MS) {
    if ((await token()) !== used) return true;
    await sleep(LOOK_MS);
  }
  return false;
}
