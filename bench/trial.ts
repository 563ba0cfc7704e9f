import type { BenchOptions } from "./bench-options.ts";
import type { Chart } from "./chart.ts";
import type { Contender } from "./contender.ts";
import type { Display } from "./display.ts";
import type { NodeBinary } from "./own-contenders.ts";
import type { ProcessGroups } from "./process-groups.ts";

/** One question that the bench can answer. */
export interface Trial {
  /** Unique; the name in the report, and of `--trial`. */
  readonly name: string;
  /** The question that it answers, in a sentence. */
  readonly about: string;
  /** True when it takes so long that it is run only when `--trial` names it. */
  readonly onRequest?: boolean;
  /** The names of its workloads, for `--workload` to choose from; absent when it has no such choice. */
  readonly workloads?: readonly string[];
  /**
   * Measures, and shows its tables. Whatever it starts in the context's process groups and does not end itself is ended
   * after it. What it throws is its failure, and the other trials go on.
   */
  run(context: TrialContext): Promise<TrialReport>;
}

/** What a trial is given. */
export interface TrialContext {
  readonly options: BenchOptions;
  /** For every process that it starts. */
  readonly groups: ProcessGroups;
  readonly display: Display;
  /** The built main.js of ours. */
  readonly main: string;
  /** What ours is to run under; at least one. */
  readonly nodes: readonly NodeBinary[];
  /** Those of `--contender`, variants and builds among them. */
  readonly contenders: readonly Contender[];
  /** Those of the trial's own workloads that `--workload` leaves. */
  readonly workloads: readonly string[];
}

/** What a trial found. Each trial adds its own fields; everything must survive JSON. */
export interface TrialReport {
  /** True when something could not be measured, or was found to be wrong. It makes the exit status 1. */
  readonly failed: boolean;
  /** What `npm run bench:plot` is to draw. */
  readonly charts?: readonly Chart[];
}
