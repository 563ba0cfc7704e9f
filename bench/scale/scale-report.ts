import type { SeriesReport } from "../series-report.ts";
import type { Summary } from "../summary.ts";
import type { TrialReport } from "../trial.ts";
import type { Workload } from "../workload.ts";

/** What the trial of scale found. */
export interface ScaleReport extends TrialReport {
  readonly workloads: readonly ScaleWorkloadReport[];
}

/** What each client did, and what came of it by the number of clients. */
export interface ScaleWorkloadReport {
  readonly workload: Workload;
  readonly steps: readonly ScaleStep[];
}

/** What so many clients found. */
export interface ScaleStep {
  readonly clients: number;
  readonly summaries: readonly Summary[];
  readonly contenders: readonly SeriesReport[];
}
