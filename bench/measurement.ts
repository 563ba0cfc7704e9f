import type { FioResult } from "./fio-result.ts";

/** One contender under one workload in one round. */
export interface Measurement extends FioResult {
  /** The time that the contender's processes spent on a processor per request; null where none stands in between. */
  readonly cpuUsPerOperation: number | null;
  /** The most memory that its processes ever had resident, in KiB; null where none stands in between. */
  readonly peakMemoryKib: number | null;
  /** How many processors its processes kept busy all in all; null where none stands in between. */
  readonly busyProcessors: number | null;
  /**
   * For how much of the time its main thread was on a processor, from 0 to 1; of several processes, the busiest. In ours
   * that is where the event loop is. Null where none stands in between.
   */
  readonly mainThreadShare: number | null;
  /** For how much of the time the machine's processors were busy, whoever it was, from 0 to 1. */
  readonly machineShare: number;
}
