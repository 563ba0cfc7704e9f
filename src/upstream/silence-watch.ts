import type { Clock, Timer } from "../ports/clock.ts";

/** When a SilenceWatch speaks up, and to whom. */
export interface SilenceWatchOptions {
  readonly clock: Clock;
  /** With requests outstanding, this long without a byte is silence. */
  readonly timeoutMs: number;
  /** With none outstanding, this long without a byte is idleness; undefined: idleness is fine. */
  readonly idleMs: number | undefined;
  /** Called once for each silence, however long it lasts. */
  readonly silent: () => void;
  /** The server was silent and is heard again. */
  readonly heardAgain: () => void;
  /** Called at most once every `idleMs`. */
  readonly idle: () => void;
}

/** Fractions of a millisecond can be too little for the clock to have moved on when the timer fires. */
const SHORTEST_MS = 1;

/**
 * Tells a server that has nothing to say from one that says nothing. One timer at most, looked at when it fires: requests
 * and replies only leave a mark.
 */
export class SilenceWatch {
  readonly #options: SilenceWatchOptions;
  #timer: Timer | undefined;
  #outstanding = 0;
  /** The last byte, or the first request after nothing was outstanding. */
  #sinceMs: number;
  #silent = false;

  constructor(options: SilenceWatchOptions) {
    this.#options = options;
    this.#sinceMs = options.clock.nowMs();
    this.#arm();
  }

  get silent(): boolean {
    return this.#silent;
  }

  /** A request was sent. */
  sent(): void {
    this.#outstanding += 1;
    if (this.#outstanding > 1) return;
    this.#sinceMs = this.#options.clock.nowMs();
    if (this.#timer === undefined) this.#arm();
  }

  /** A request was answered. */
  answered(): void {
    this.#outstanding -= 1;
  }

  /** Bytes were received. */
  heard(): void {
    this.#sinceMs = this.#options.clock.nowMs();
    if (!this.#silent) return;
    this.#silent = false;
    this.#options.heardAgain();
    if (this.#timer === undefined) this.#arm();
  }

  /** Watches no more, until the next request. */
  stop(): void {
    this.#silent = false;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #limitMs(): number | undefined {
    return this.#outstanding > 0 ? this.#options.timeoutMs : this.#options.idleMs;
  }

  #arm(): void {
    const limitMs = this.#limitMs();
    if (limitMs === undefined || this.#silent) return;
    const { clock, timeoutMs, idleMs = timeoutMs } = this.#options;
    // Requests may begin to wait, or be answered, at any moment: look no later than either may have to be noticed.
    const leftMs = Math.min(timeoutMs, idleMs, Math.max(SHORTEST_MS, this.#sinceMs + limitMs - clock.nowMs()));
    this.#timer = clock.setTimer(leftMs, () => this.#look());
  }

  #look(): void {
    this.#timer = undefined;
    const limitMs = this.#limitMs();
    if (limitMs === undefined) return;
    const quietMs = this.#options.clock.nowMs() - this.#sinceMs;
    if (quietMs < limitMs) this.#arm();
    else if (this.#outstanding > 0) {
      this.#silent = true;
      this.#options.silent();
    } else {
      this.#sinceMs = this.#options.clock.nowMs();
      this.#options.idle();
      if (this.#timer === undefined) this.#arm();
    }
  }
}
