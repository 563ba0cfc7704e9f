import { LIMITS } from "../limits.ts";
import type { Clock } from "../ports/clock.ts";
import { TRANSMISSION_FLAG } from "../protocol/constants.ts";
import type { Geometry } from "../protocol/geometry.ts";
import type { RequestFlow } from "./request-flow.ts";

/** What is done before a disk is closed: the pins end, and everything is put on stable storage, within `LIMITS.drainMs`. */
export class FinalFlush {
  readonly #clock: Clock;
  #giveUp: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Resolves to whether the server confirmed it, or need not do so. */
  async of(flow: RequestFlow, { flags }: Geometry, isConnected: boolean): Promise<boolean> {
    const flushes = (flags & TRANSMISSION_FLAG.SEND_FLUSH) !== 0 && (flags & TRANSMISSION_FLAG.READ_ONLY) === 0;
    // A server that is away is only worth waiting for when there is something to save.
    if (!isConnected && flow.unflushed.unstableBytes === 0) return !flushes;
    return new Promise((resolve) => {
      let over = false;
      const done = (flushed: boolean): void => {
        over = true;
        timer.cancel();
        resolve(flushed);
      };
      const timer = this.#clock.setTimer(LIMITS.drainMs, () => done(false));
      const answered = (error: number): void => {
        if (error === 0) done(true);
        else if (!over) flow.flush(answered);
      };
      this.#giveUp = () => done(false);
      flow.finishPins(() => (flushes ? flow.flush(answered) : done(true)));
    });
  }

  /** There is nobody to flush, and nothing that is worth waiting for. */
  giveUp(): void {
    this.#giveUp?.();
  }
}
