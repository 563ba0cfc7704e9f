import { LIMITS } from "../limits.ts";

/** What an AdaptivePolling needs of the event loop. */
export interface PollingLoop {
  /** Milliseconds with their fractions. */
  nowMs(): number;
  /** Runs a step behind the next look for input, and has that look not wait. */
  again(step: () => void): void;
}

/**
 * Keeps the event loop looking for input for a moment after work was handed over, because to be woken takes longer than many
 * an answer. The moment grows while answers come within it, and is given up when they don't, or when somebody else wants
 * the processor: who is idle or has a busy machine pays nothing.
 */
export class AdaptivePolling {
  readonly #loop: PollingLoop;
  /** How long to look; 0: not at all. */
  #windowMs = 0;
  /** When work was handed over whose answer has not come; undefined when nothing is awaited. */
  #sinceMs: number | undefined;
  #spinning = false;
  #lastLookMs = 0;
  /** How much more often an answer was found than somebody else needed the processor. */
  #credit = 0;
  /** Somebody needed it too often: not before then again, and how long the next such pause is. */
  #pausedUntilMs = -Infinity;
  #pauseMs: number = LIMITS.pollingPauseMs;

  constructor(loop: PollingLoop) {
    this.#loop = loop;
  }

  /** Work was handed over, the answer to which may come soon. */
  handedOver(): void {
    const nowMs = this.#loop.nowMs();
    this.#sinceMs = nowMs;
    this.#lastLookMs = nowMs;
    if (this.#windowMs === 0 || this.#spinning) return;
    this.#spinning = true;
    this.#loop.again(this.#look);
  }

  /** Something came. */
  arrived(): void {
    const sinceMs = this.#sinceMs;
    if (sinceMs === undefined) return;
    this.#sinceMs = undefined;
    const nowMs = this.#loop.nowMs();
    const gapMs = nowMs - sinceMs;
    if (this.#spinning) this.#credit = Math.min(LIMITS.pollingCredit, this.#credit + 1);
    if (gapMs > LIMITS.pollingMs) this.#windowMs = 0;
    else if (gapMs > this.#windowMs && nowMs >= this.#pausedUntilMs)
      this.#windowMs = Math.min(LIMITS.pollingMs, Math.max(LIMITS.pollingFirstMs, 2 * this.#windowMs));
  }

  readonly #look = (): void => {
    const nowMs = this.#loop.nowMs();
    const lookMs = nowMs - this.#lastLookMs;
    this.#lastLookMs = nowMs;
    const sinceMs = this.#sinceMs;
    if (sinceMs !== undefined && lookMs > LIMITS.pollingLookMs) this.#giveWay(nowMs);
    if (sinceMs === undefined || this.#windowMs === 0 || nowMs - sinceMs > this.#windowMs) {
      this.#spinning = false;
      return;
    }
    this.#loop.again(this.#look);
  };

  /** To look takes a few microseconds: somebody else had the processor meanwhile. Now and then that is nothing. */
  #giveWay(nowMs: number): void {
    this.#credit -= LIMITS.pollingCredit / 2;
    if (this.#credit > LIMITS.pollingCredit / 4) return;
    this.#credit = 0;
    this.#windowMs = 0;
    const again = nowMs - this.#pausedUntilMs < this.#pauseMs;
    this.#pauseMs = again ? Math.min(LIMITS.pollingPauseMaxMs, 2 * this.#pauseMs) : LIMITS.pollingPauseMs;
    this.#pausedUntilMs = nowMs + this.#pauseMs;
  }
}
