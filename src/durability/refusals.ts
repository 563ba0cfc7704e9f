/** How soon a server is asked again that refuses what it has to take, in milliseconds. */
export interface RefusalTimes {
  /** The pause after the first refusal; it doubles, */
  readonly firstMs: number;
  /** up to this. */
  readonly longestMs: number;
  /** When the pauses come to so much, there is little hope. */
  readonly hopelessMs: number;
}

/**
 * A server refuses, again and again, what can't be given up: a write that it acknowledged before, or a FLUSH. Only the pauses
 * count as time in vain: a server that hangs or is away refuses nothing.
 */
export class Refusals {
  readonly #times: RefusalTimes;
  #pauseMs = 0;
  #inVainMs = 0;

  constructor(times: RefusalTimes) {
    this.#times = times;
  }

  /** Whether it has refused for so long that waiting makes no sense any more. */
  get hopeless(): boolean {
    return this.#inVainMs >= this.#times.hopelessMs;
  }

  /** It refused. Returns how long to wait before it is asked again. */
  refused(): number {
    this.#inVainMs += this.#pauseMs;
    this.#pauseMs = Math.min(Math.max(this.#times.firstMs, this.#pauseMs * 2), this.#times.longestMs);
    return this.#pauseMs;
  }

  /** It took it. */
  accepted(): void {
    this.#pauseMs = 0;
    this.#inVainMs = 0;
  }
}
