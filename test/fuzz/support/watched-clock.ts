import type { Clock, Timer } from "../../../src/ports/clock.ts";
import { ManualClock } from "../../unit/support/manual-clock.ts";
import type { StepLimit } from "./step-limit.ts";

/** A clock that a world moves, and that counts every timer as a step. */
export class WatchedClock implements Clock {
  readonly #clock = new ManualClock();
  readonly #steps: StepLimit;

  constructor(steps: StepLimit) {
    this.#steps = steps;
  }

  get pending(): number {
    return this.#clock.pending;
  }

  nowMs(): number {
    return this.#clock.nowMs();
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    this.#steps.step();
    return this.#clock.setTimer(delayMs, callback);
  }

  advance(byMs: number): void {
    this.#clock.advance(byMs);
  }
}
