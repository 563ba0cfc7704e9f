import type { BenchOptions } from "./bench-options.ts";
import { selectNames } from "./select-names.ts";
import type { Trial } from "./trial.ts";

/** A trial that is to be run, with those of its workloads that are asked for. */
export interface ChosenTrial {
  readonly trial: Trial;
  readonly workloads: readonly string[];
}

/**
 * The trials that the options mean, in their own order. One of whose workloads none is asked for is not run. Throws when
 * a name means nothing.
 */
export function chosenTrials(trials: readonly Trial[], asked: Pick<BenchOptions, "trial" | "workload">): ChosenTrial[] {
  const names = trials.map(({ name }) => name);
  const unknown = asked.trial.find((name) => !names.includes(name));
  if (unknown !== undefined) throw new Error(`${JSON.stringify(unknown)} is none of ${names.join(", ")}`);
  const wanted = trials.filter(({ name, onRequest }) =>
    asked.trial.length === 0 ? onRequest !== true : asked.trial.includes(name),
  );
  const all = [...new Set(wanted.flatMap(({ workloads }) => workloads ?? []))];
  const chosen = selectNames(all, asked.workload);
  return wanted
    .map((trial) => ({ trial, workloads: (trial.workloads ?? []).filter((name) => chosen.includes(name)) }))
    .filter(({ trial, workloads }) => trial.workloads === undefined || workloads.length > 0);
}
