import { LIMITS } from "../limits.ts";
import { TakingTurns } from "./taking-turns.ts";

/** What an AdaptivePolling needs of the event loop. */
export interface PollingLoop {
  /** Milliseconds with their fractions. */
  nowMs(): number;
  /** Runs a step behind the next look for input, and has that look not wait. */
  again(step: () => void): void;
  /** Lets somebody else have this processor first, if anybody waits for it; undefined where that can't be done. */
  readonly giveWay: (() => void) | undefined;
}

/** Somebody who is spoken to and may answer. */
export interface Speaker {
  /** Receives what has come from there. Returns whether anything had; undefined when only the event loop can tell. */
  look(): boolean | undefined;
}

/**
 * Keeps the event loop looking for input for a moment after work was handed over, because to be woken takes longer than many
 * an answer. The moment grows while answers come within it, and is given up when they don't, or when somebody else wants
 * the processor: who is idle or has a busy machine pays nothing. While two take turns, the one who has the word is looked at
 * alone, which takes a third of a turn of the event loop.
 */
export class AdaptivePolling {
  readonly #loop: PollingLoop;
  /** How long to look; 0: not at all. */
  #windowMs = 0;
  /** When work was handed over whose answer has not come; undefined when nothing is awaited. */
  #sinceMs: number | undefined;
  #spinning = false;
  #lastLookMs = 0;
  #turnsInVain = 0;
  /** How much more often an answer was found than somebody else needed the processor. */
  #credit = 0;
  /** Somebody needed it too often: not before then again, and how long the next such pause is. */
  #pausedUntilMs = -Infinity;
  #pauseMs: number = LIMITS.pollingPauseMs;
  readonly #turns = new TakingTurns<Speaker>();

  constructor(loop: PollingLoop) {
    this.#loop = loop;
  }

  /** Work was handed over, the answer to which may come soon. */
  handedOver(to: Speaker): void {
    this.#turns.said(to);
    const nowMs = this.#loop.nowMs();
    this.#sinceMs = nowMs;
    this.#lastLookMs = nowMs;
    this.#turnsInVain = 0;
    if (this.#windowMs === 0 || this.#spinning) return;
    this.#spinning = true;
    this.#loop.again(this.#look);
  }

  /** Something came, so many bytes. */
  arrived(from: Speaker, bytes: number): void {
    this.#turns.heard(from, bytes);
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
    this.#turnsInVain += 1;
    if (this.#turnsInVain % LIMITS.pollingTurnsAlone === 0) this.#loop.giveWay?.();
    this.#spinning = this.#goesOn();
    if (!this.#spinning) return;
    this.#lookClosely();
    this.#loop.again(this.#look);
  };

  /** Whether an answer is awaited that may still come soon. To be asked often: it takes the time that passed for its own. */
  #goesOn(): boolean {
    const nowMs = this.#loop.nowMs();
    const lookMs = nowMs - this.#lastLookMs;
    this.#lastLookMs = nowMs;
    const sinceMs = this.#sinceMs;
    if (sinceMs === undefined) return false;
    if (lookMs > (this.#loop.giveWay === undefined ? LIMITS.pollingLookMs : LIMITS.pollingSliceMs)) this.#pause(nowMs);
    return this.#windowMs > 0 && nowMs - sinceMs <= this.#windowMs;
  }

  /** Looks at the one who has the word, for as long as only one has it, and nobody else can wait too long meanwhile. */
  #lookClosely(): void {
    let answers = 0;
    let inVain = 0;
    for (let looks = 0; looks < LIMITS.closeLooks && answers < LIMITS.closeAnswers; looks += 1) {
      const spoke = this.#turns.next?.look();
      if (spoke === undefined) return;
      inVain = spoke ? 0 : inVain + 1;
      if (spoke) answers += 1;
      else if (inVain % LIMITS.closeLooksAlone === 0) {
        this.#loop.giveWay?.();
        if (!this.#goesOn()) return;
      }
    }
  }

  /** To look takes a few microseconds: somebody else had the processor meanwhile. Now and then that is nothing. */
  #pause(nowMs: number): void {
    this.#credit -= LIMITS.pollingCredit / 2;
    if (this.#credit > LIMITS.pollingCredit / 4) return;
    this.#credit = 0;
    this.#windowMs = 0;
    const again = nowMs - this.#pausedUntilMs < this.#pauseMs;
    this.#pauseMs = again ? Math.min(LIMITS.pollingPauseMaxMs, 2 * this.#pauseMs) : LIMITS.pollingPauseMs;
    this.#pausedUntilMs = nowMs + this.#pauseMs;
  }
}
