/** How soon a server is asked again that refuses what it has to take, in milliseconds. */
export interface RefusalTimes {
  /** The pause after the first refusal; it doubles, */
  readonly firstMs: number;
  /** up to this. */
  readonly longestMs: number;
  /** When refusals have lasted so long, there is little hope. */
  readonly hopelessMs: number;
}

/** A server refuses, again and again, what can't be given up: a write that it acknowledged before, or a FLUSH. */
export class Refusals {
  readonly #times: RefusalTimes;
  #sinceMs: number | undefined;
  #pauseMs = 0;

  constructor(times: RefusalTimes) {
    this.#times = times;
  }

  /** It refused. Returns how long to wait before it is asked again. */
  refused(nowMs: number): number {
    this.#sinceMs ??= nowMs;
    this.#pauseMs = Math.min(Math.max(this.#times.firstMs, this.#pauseMs * 2), this.#times.longestMs);
    return this.#pauseMs;
  }

  /** Whether it has refused for so long that waiting makes no sense any more. */
  hopeless(nowMs: number): boolean {
    return this.#sinceMs !== undefined && nowMs - this.#sinceMs >= this.#times.hopelessMs;
  }

  /** It took it. */
  accepted(): void {
    this.#sinceMs = undefined;
    this.#pauseMs = 0;
  }
}
