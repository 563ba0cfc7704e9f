import type { Exports } from "../disk.ts";
import type { Clock } from "../ports/clock.ts";
import type { Log } from "../ports/log.ts";
import type { GreetingStyle } from "../protocol/greeting-style.ts";
import type { ByteBudget } from "../transport/byte-budget.ts";
import type { SlabPool } from "../transport/slab-pool.ts";

/** What every session of a listener shares. */
export interface SessionSurroundings {
  readonly exports: Exports;
  readonly greetingStyle: GreetingStyle;
  readonly pool: SlabPool;
  /** What may be held for all clients together. */
  readonly budget: ByteBudget;
  readonly clock: Clock;
  readonly log: Log;
}
