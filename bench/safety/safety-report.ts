import type { SeriesReport } from "../series-report.ts";
import type { TrialReport } from "../trial.ts";
import type { Workload } from "../workload.ts";
import type { SafetySummary } from "./safety-summary.ts";

/** What the trial of safety found. */
export interface SafetyReport extends TrialReport {
  /** What the names of features mean. */
  readonly features: Readonly<Record<string, string>>;
  readonly workloads: readonly SafetyWorkloadReport[];
}

/** What was measured under one workload. */
export interface SafetyWorkloadReport {
  readonly workload: Workload;
  readonly summaries: readonly SafetySummary[];
  readonly contenders: readonly SeriesReport[];
}
