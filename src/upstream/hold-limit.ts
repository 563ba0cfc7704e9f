import type { Clock, Timer } from "../ports/clock.ts";

/** How long requests are held in an outage before they fail (R10). The time goes on while a server is back that answers nothing. */
export class HoldLimit {
  readonly #clock: Clock;
  readonly #timeoutMs: number | undefined;
  readonly #over: (timeoutMs: number) => void;
  #timer: Timer | undefined;
  /** Since when no request was answered, counted from a lost connection. */
  #awaySinceMs: number | undefined;

  /** `timeoutMs` undefined: for ever. */
  constructor(clock: Clock, timeoutMs: number | undefined, over: (timeoutMs: number) => void) {
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
    this.#over = over;
  }

  /** The connection is lost: the time begins to run, or goes on. */
  lost(): void {
    const timeoutMs = this.#timeoutMs;
    if (timeoutMs === undefined) return;
    this.#awaySinceMs ??= this.#clock.nowMs();
    const leftMs = Math.max(0, this.#awaySinceMs + timeoutMs - this.#clock.nowMs());
    this.#timer = this.#clock.setTimer(leftMs, () => {
      this.#timer = undefined;
      this.#over(timeoutMs);
    });
  }

  /** There is a connection. */
  connected(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** A request was answered, or none waits. */
  answered(): void {
    this.#awaySinceMs = undefined;
  }
}
