import { LIMITS } from "../limits.ts";
import type { Random } from "../ports/random.ts";

/**
 * How long to wait before the next try: quick tries while the outage is young, because most are restarts; then twice as
 * long each time, up to a maximum. All with a jitter, so that many proxies do not knock together.
 */
export class ReconnectPolicy {
  readonly #random: Random;
  readonly #maximumMs: number;
  #slowTries = 0;

  constructor(random: Random, maximumMs: number) {
    this.#random = random;
    this.#maximumMs = maximumMs;
  }

  /** The delay before the next try of an outage that has lasted `outageMs`. */
  nextDelayMs(outageMs: number): number {
    if (outageMs >= LIMITS.retryQuickForMs) this.#slowTries += 1;
    const delayMs = Math.min(LIMITS.retryMs * 2 ** this.#slowTries, this.#maximumMs);
    return delayMs * (1 + LIMITS.retryJitter * (2 * this.#random.next() - 1));
  }

  /** The server is proven to be back. */
  reset(): void {
    this.#slowTries = 0;
  }
}
