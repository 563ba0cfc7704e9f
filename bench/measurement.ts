import type { FioResult } from "./fio-result.ts";

/** One contender under one workload in one round. */
export interface Measurement extends FioResult {
  /** The time that the contender's processes spent on a processor per request; null where none stands in between. */
  readonly cpuUsPerOperation: number | null;
  /** The most memory that its processes ever had resident, in KiB; null where none stands in between. */
  readonly peakMemoryKib: number | null;
}
