import assert from "node:assert";

import type { Clock, Timer } from "../ports/clock.ts";

/** What setTimeout takes; asked for more it does not wait at all. */
const LONGEST_DELAY_MS = 2 ** 31 - 1;

/** The machine's monotonic time, in milliseconds since the process started, and its timers. */
export class RealClock implements Clock {
  nowMs(): number {
    return performance.now();
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    assert(delayMs >= 0 && delayMs <= LONGEST_DELAY_MS, `a timer cannot wait ${delayMs} ms`);
    // Rounded up: who finds itself early would only have to wait again.
    const timeout = setTimeout(callback, Math.ceil(delayMs));
    return { cancel: () => clearTimeout(timeout) };
  }
}
