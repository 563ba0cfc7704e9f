import { Refusals } from "../durability/refusals.ts";
import { LIMITS } from "../limits.ts";
import type { Clock, Timer } from "../ports/clock.ts";
import type { Log } from "../ports/log.ts";

/** What a WriteTrouble works with. */
export interface WriteTroubleOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** The export has failed, or works again. */
  readonly changed: (failed: boolean) => void;
}

/**
 * The server refuses what it has to take: a write that it acknowledged before, or a FLUSH. It is asked again and again. When
 * there is no hope left, the export has failed: new writes and FLUSHes are answered with errors, while what is in the log
 * is kept, and still tried.
 */
export class WriteTrouble {
  readonly #options: WriteTroubleOptions;
  readonly #refusals = new Refusals({
    firstMs: LIMITS.refusedRetryMs,
    longestMs: LIMITS.refusedRetryMaxMs,
    hopelessMs: LIMITS.refusedMs,
  });
  #failed = false;
  #retry: Timer | undefined;

  constructor(options: WriteTroubleOptions) {
    this.#options = options;
  }

  /** Whether the export has failed. */
  get failed(): boolean {
    return this.#failed;
  }

  /** The server has refused, and the pause before it is asked again is not over. */
  get pausing(): boolean {
    return this.#retry !== undefined;
  }

  /** The server refused; `retry` is called after a pause. `mayFail`: the export may count as failed once there is no hope. */
  refused(retry: () => void, mayFail: boolean): void {
    const { clock, log, changed } = this.#options;
    const pauseMs = this.#refusals.refused();
    if (!this.#failed && mayFail && this.#refusals.hopeless) {
      this.#failed = true;
      log.error("the server does not take what it acknowledged before: writes fail until it does");
      changed(true);
    }
    this.pause();
    this.#retry = clock.setTimer(pauseMs, () => {
      this.#retry = undefined;
      retry();
    });
  }

  /** Tries no more for now. */
  pause(): void {
    this.#retry?.cancel();
    this.#retry = undefined;
  }

  /** The connection is lost: a server that is away refuses nothing. */
  lost(): void {
    this.pause();
    this.#refusals.accepted();
  }

  /** The server took everything. */
  over(): void {
    this.pause();
    this.#refusals.accepted();
    if (!this.#failed) return;
    this.#failed = false;
    this.#options.log.warning("the server takes writes again");
    this.#options.changed(false);
  }
}
