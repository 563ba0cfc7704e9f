import type { LeftOut, Role } from "./contender.ts";
import type { Machine } from "./machine.ts";
import type { Measurement } from "./measurement.ts";
import type { Summary } from "./summary.ts";
import type { Workload } from "./workload.ts";

/** Everything about one run, as it is written to a file in JSON. */
export interface BenchReport {
  readonly startedAt: string;
  /** What was measured: the commit, with a plus behind it if the files differed from it. */
  readonly commit: string | null;
  readonly machine: Machine;
  readonly versions: Readonly<Record<string, string>>;
  readonly settings: {
    readonly rounds: number;
    readonly seconds: number;
    readonly warmup: number;
    readonly sizeMib: number;
  };
  /** The options behind the names of variants. */
  readonly variants: Readonly<Record<string, string>>;
  readonly leftOut: readonly LeftOut[];
  readonly workloads: readonly WorkloadReport[];
}

/** What was measured under one workload. */
export interface WorkloadReport {
  readonly workload: Workload;
  readonly summaries: readonly Summary[];
  readonly contenders: readonly {
    readonly name: string;
    readonly role: Role;
    readonly rounds: readonly Measurement[];
    readonly failure: string | null;
  }[];
}
