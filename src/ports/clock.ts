/** Time, handed in from outside, so that a simulation can own it. Nothing in the core asks the machine for the time. */
export interface Clock {
  /** Monotonic milliseconds since some fixed moment. */
  nowMs(): number;
  /** Calls back once, `delayMs` from now, unless cancelled before. */
  setTimer(delayMs: number, callback: () => void): Timer;
}

/** A call that is due later. Cancelling one that has already run, or was cancelled, does nothing. */
export interface Timer {
  cancel(): void;
}
