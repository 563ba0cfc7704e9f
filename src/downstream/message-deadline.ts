import { LIMITS } from "../limits.ts";
import type { Clock, Timer } from "../ports/clock.ts";

/**
 * Notices a message that was begun and does not go on: a client may be idle between requests for ever, but inside of one it
 * holds memory and a place. One timer at most, looked at when it fires.
 */
export class MessageDeadline {
  readonly #clock: Clock;
  readonly #late: () => void;
  #timer: Timer | undefined;
  /** Which message is incomplete, since when, and how much payload was to come when that was first known. */
  #message: { readonly number: number; readonly sinceMs: number; owedBytes: number } | undefined;

  /** `late` is called when a message takes too long. */
  constructor(clock: Clock, late: () => void) {
    this.#clock = clock;
    this.#late = late;
  }

  /** Message `number` has begun, and `owedBytes` of it, if that is known, are still to come. */
  incomplete(number: number, owedBytes: number): void {
    if (this.#message?.number === number) {
      // The header may have come in pieces; what is still owed later has had its time.
      if (this.#message.owedBytes === 0) this.#message.owedBytes = owedBytes;
      return;
    }
    this.#message = { number, sinceMs: this.#clock.nowMs(), owedBytes };
    if (this.#timer === undefined) this.#arm(LIMITS.messageMs);
  }

  /** Nothing is begun, or what is begun waits for us. */
  complete(): void {
    this.#message = undefined;
  }

  /** Watches no more. */
  stop(): void {
    this.#message = undefined;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #arm(delayMs: number): void {
    this.#timer = this.#clock.setTimer(delayMs, () => this.#look());
  }

  #look(): void {
    this.#timer = undefined;
    if (this.#message === undefined) return;
    const { sinceMs, owedBytes } = this.#message;
    const leftMs = sinceMs + LIMITS.messageMs + owedBytes / LIMITS.payloadBytesPerMs - this.#clock.nowMs();
    // A fraction of a millisecond can be too little for the clock to have moved on; longer than any message without a
    // payload may take, and such a one would be noticed too late.
    if (leftMs > 0) this.#arm(Math.min(Math.max(1, leftMs), LIMITS.messageMs));
    else this.#late();
  }
}
