import type { Clock, Timer } from "../ports/clock.ts";

/** How long what is held for clients that are gone is kept for a server that is away (R8). */
export class Linger {
  readonly #clock: Clock;
  readonly #lingerMs: number;
  readonly #over: () => void;
  #timer: Timer | undefined;

  /** `over` is called when nobody came back in time. */
  constructor(clock: Clock, lingerMs: number, over: () => void) {
    this.#clock = clock;
    this.#lingerMs = lingerMs;
    this.#over = over;
  }

  /** There is neither client nor server, and something is held: the time begins to run, unless it runs already. */
  begin(): void {
    this.#timer ??= this.#clock.setTimer(this.#lingerMs, () => {
      this.#timer = undefined;
      this.#over();
    });
  }

  /** One of them is back, or there is nothing to wait for. */
  end(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }
}
