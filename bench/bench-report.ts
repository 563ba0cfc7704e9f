import type { LeftOut } from "./contender.ts";
import type { Machine } from "./machine.ts";
import type { TrialReport } from "./trial.ts";

/** Everything about one run, as it is written to a file in JSON. */
export interface BenchReport {
  readonly startedAt: string;
  /** What was measured: the commit, with a plus behind it if the files differed from it. */
  readonly commit: string | null;
  readonly machine: Omit<Machine, "kernel">;
  /** Of everything that takes part and is installed, and of the kernel. */
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
  /** By the name of the trial. */
  readonly trials: Readonly<Record<string, TrialReport>>;
}
