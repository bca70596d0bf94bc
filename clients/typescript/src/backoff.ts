import { setTimeout as sleep } from "node:timers/promises";

/** The pause after the first failure, and the longest one: a restarted server is noticed within two seconds. */
const FIRST_MS = 100;
const LONGEST_MS = 2_000;

/** Pauses that double, each shortened by chance to no less than its half, so that clients spread out. */
export class Backoff {
  ms = FIRST_MS;

  reset(): void {
    this.ms = FIRST_MS;
  }

  async pause(atMostMs: number, signal?: AbortSignal): Promise<void> {
    await sleep(Math.min(this.ms * (0.5 + Math.random() / 2), Math.max(atMostMs, 0)), undefined, {
      ...(signal && { signal }),
    });
    this.ms = Math.min(2 * this.ms, LONGEST_MS);
  }
}
