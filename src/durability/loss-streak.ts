/** When a request is taken for what makes the server go away. */
export interface PoisonLimits {
  /** In flight at so many losses in a row, */
  readonly losses: number;
  /** over at least this time in milliseconds; */
  readonly overMs: number;
  /** then, sent alone, at so many more. */
  readonly aloneLosses: number;
}

/**
 * The losses at which a request was in flight, in a row: none of its fellows was answered in between (R7). A server that
 * merely crashes now and then answers something meanwhile.
 */
export class LossStreak {
  readonly #limits: PoisonLimits;
  #count = 0;
  #sinceMs = 0;
  #answers = 0;
  #suspect = false;
  #aloneLosses = 0;

  constructor(limits: PoisonLimits) {
    this.#limits = limits;
  }

  /** The request may be what kills the server, and has to be sent alone. */
  get suspect(): boolean {
    return this.#suspect;
  }

  /** Sent alone, it killed the server often enough. */
  get poison(): boolean {
    return this.#aloneLosses >= this.#limits.aloneLosses;
  }

  /** The connection was lost. `answers` counts those that requests of users have had so far; `alone`: nothing else was in flight. */
  lost(nowMs: number, answers: number, alone: boolean): void {
    if (this.#suspect) {
      if (alone) this.#aloneLosses += 1;
      return;
    }
    if (this.#count === 0 || this.#answers !== answers) {
      this.#count = 0;
      this.#sinceMs = nowMs;
      this.#answers = answers;
    }
    this.#count += 1;
    this.#suspect = this.#count >= this.#limits.losses && nowMs - this.#sinceMs >= this.#limits.overMs;
  }
}
