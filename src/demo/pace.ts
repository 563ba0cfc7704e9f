import { setTimeout as delay } from "node:timers/promises";

/** How fast to go: so many turns at once, then none until the interval is over. */
export interface PaceOptions {
  readonly turns: number;
  readonly intervalMs: number;
  readonly signal: AbortSignal;
}

/** Slows the copying down to what an eye can follow. Time that was lost is not made up for. */
export class Pace {
  readonly #options: PaceOptions;
  #turnsLeft = 0;
  #openAtMs = 0;
  /** Fulfilled when those whose turn it is now may go; one timer for all of them. */
  #open: Promise<void> | undefined;

  constructor(options: PaceOptions) {
    this.#options = options;
  }

  /** Resolves when it is the caller's turn, in the order of the calls; rejects when the demo is given up. */
  async turn(): Promise<void> {
    if (this.#turnsLeft === 0) {
      const { turns, intervalMs, signal } = this.#options;
      const nowMs = performance.now();
      this.#turnsLeft = turns;
      this.#openAtMs = Math.max(this.#openAtMs + intervalMs, nowMs);
      this.#open = delay(this.#openAtMs - nowMs, undefined, { signal });
    }
    this.#turnsLeft -= 1;
    await this.#open;
  }
}
