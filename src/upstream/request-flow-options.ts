import type { DurabilityCounters } from "../durability/durability-counters.ts";
import type { Clock } from "../ports/clock.ts";
import type { Log } from "../ports/log.ts";
import type { RecoverySummary } from "./recovery.ts";
import type { UnflushedLogOptions } from "./unflushed-log.ts";

/** How requests flow. */
export interface RequestFlowOptions extends UnflushedLogOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly counters: DurabilityCounters;
  /** How long what was being written when a connection was lost is guarded against late requests; 0: not at all. */
  readonly pinMs: number;
  /** Others write to the export as well: no write is sent a second time. */
  readonly shared: boolean;
  /** A new connection is in use, and everything that has to go first has been answered. */
  readonly recovered: (summary: RecoverySummary) => void;
}
