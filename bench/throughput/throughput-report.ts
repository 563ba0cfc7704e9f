import type { SeriesReport } from "../series-report.ts";
import type { TrialReport } from "../trial.ts";
import type { Workload } from "../workload.ts";
import type { Summary } from "../summary.ts";

/** What the trial of throughput found. */
export interface ThroughputReport extends TrialReport {
  readonly workloads: readonly WorkloadReport[];
}

/** What was measured under one workload. */
export interface WorkloadReport {
  readonly workload: Workload;
  readonly summaries: readonly Summary[];
  readonly contenders: readonly SeriesReport[];
}
