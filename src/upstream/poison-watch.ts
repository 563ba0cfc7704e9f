import type { DurabilityCounters } from "../durability/durability-counters.ts";
import { LossStreak } from "../durability/loss-streak.ts";
import { LIMITS } from "../limits.ts";
import type { Clock } from "../ports/clock.ts";
import type { Log } from "../ports/log.ts";
import type { InFlight } from "./in-flight.ts";

const POISON = { losses: LIMITS.poisonLosses, overMs: LIMITS.poisonMs, aloneLosses: LIMITS.poisonAloneLosses };

/** What a PoisonWatch works with. */
export interface PoisonWatchOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly counters: DurabilityCounters;
}

/** Finds the request that kills the server whenever it is sent, before it does so for ever. */
export class PoisonWatch {
  readonly #options: PoisonWatchOptions;
  /** Requests of users that the server answered so far. */
  #answers = 0;

  constructor(options: PoisonWatchOptions) {
    this.#options = options;
  }

  /** The server answered a request of a user. */
  answered(): void {
    this.#answers += 1;
  }

  /** A connection was lost over which this request had been sent; `alone`: there was nothing else to be sent. */
  lost(entry: InFlight, alone: boolean): void {
    entry.losses ??= new LossStreak(POISON);
    entry.losses.lost(this.#options.clock.nowMs(), this.#answers, alone);
  }

  /** Whether a request that was lost must not be sent again, which is then counted and logged. */
  condemns({ command, offset, length, losses }: InFlight): boolean {
    if (losses?.poison !== true) return false;
    this.#options.counters.poisonedRequests += 1;
    const which = `command ${command}, ${length} bytes at ${offset}`;
    this.#options.log.error(`the server goes away whenever it is sent one request (${which}): answering it with EIO`);
    return true;
  }
}
