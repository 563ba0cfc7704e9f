import { LIMITS } from "../limits.ts";
import type { Clock } from "../ports/clock.ts";
import type { InFlight } from "./in-flight.ts";

/** What a slow write counts for at the next one. They differ much, and a FLUSH may have the bad luck of the slowest. */
const FADING = 7 / 8;

/**
 * How long a write takes at the moment, from being sent to its answer, behind everything else that the server has to do: what
 * the time of a FLUSH is judged beside. One write at a time is watched, and none while a FLUSH is at the server, because there
 * are servers that let writes wait for its end.
 */
export class WriteLatency {
  readonly #clock: Clock;
  #watched: InFlight | undefined;
  #sentMs = 0;
  #flushing = false;
  #ms = 0;
  /** There was one since the last FLUSH. */
  #measured = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Of the slowest of the last few, in milliseconds, but no longer than a FLUSH may take because of it; 0 when there was none. */
  get ms(): number {
    return this.#ms;
  }

  /** A write is sent. */
  sent(write: InFlight): void {
    if (this.#watched !== undefined || this.#flushing) return;
    this.#watched = write;
    this.#sentMs = this.#clock.nowMs();
  }

  /** A request is answered. */
  answered(entry: InFlight): void {
    if (entry !== this.#watched) return;
    this.#watched = undefined;
    this.#measured = true;
    const tookMs = this.#clock.nowMs() - this.#sentMs;
    this.#ms = Math.min(Math.max(tookMs, this.#ms * FADING), LIMITS.cheapFlushQueueMs);
  }

  /** A FLUSH is sent. */
  flushSent(): void {
    this.#watched = undefined;
    this.#flushing = true;
    // One FLUSH behind the other: what writes took once says nothing any more.
    if (!this.#measured) this.#ms = 0;
    this.#measured = false;
  }

  /** It is answered. */
  flushAnswered(): void {
    this.#flushing = false;
  }

  /** The connection is lost. */
  lost(): void {
    this.#watched = undefined;
    this.#flushing = false;
  }
}
