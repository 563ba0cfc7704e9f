import { writeFile } from "node:fs/promises";

import type { BenchOptions } from "./bench-options.ts";
import type { BenchReport } from "./bench-report.ts";
import type { Display } from "./display.ts";
import { failedTrial } from "./failed-trial.ts";
import { findProgram } from "./find-program.ts";
import { answerOf, describeMachine, describeVersions } from "./machine.ts";
import { describePlan, describeTrials, makePlan } from "./plan.ts";
import type { ProcessGroups } from "./process-groups.ts";
import type { Trial, TrialContext, TrialReport } from "./trial.ts";
import { TRIALS } from "./trials.ts";

/** From here on something else must be running. */
const BUSY_LOAD = 0.5;

/** Runs the bench; resolves to true unless a trial failed. `main` is the built main.js of ours. */
export async function runBench(
  options: BenchOptions,
  main: string,
  groups: ProcessGroups,
  display: Display,
): Promise<boolean> {
  const plan = makePlan(TRIALS, options, main);
  if (options.list) display.result(`${describeTrials(TRIALS)}\n`);
  display.result(describePlan(plan));
  if (options.list) return true;
  const { kernel, ...machine } = describeMachine();
  display.result(`${machine.processors} x ${machine.processor}, load ${machine.load.toFixed(2)}\n`);
  if (machine.load > BUSY_LOAD) display.result("The machine is busy with something else: the figures are noise.\n");
  for (const program of ["nbdkit", "fio"]) {
    if (findProgram(program) === undefined) throw new Error(`${program} is not installed`);
  }

  const { contenders, leftOut, nodes } = plan;
  const { rounds, seconds, warmup, sizeMib } = options;
  const trials: Record<string, TrialReport> = {};
  const report: BenchReport = {
    startedAt: new Date().toISOString(),
    commit: describeCommit(),
    machine,
    versions: { ...describeVersions(), node: nodes.map(({ version }) => version).join(", "), kernel },
    settings: { rounds, seconds, warmup, sizeMib },
    variants: Object.fromEntries(options.variant.map(({ name, text }) => [name, text])),
    leftOut,
    trials,
  };
  for (const { trial, workloads } of plan.trials) {
    display.result(`\n${trial.name}: ${trial.about}\n`);
    trials[trial.name] = await runTrial(trial, { options, groups, display, main, nodes, contenders, workloads });
    // After each of them, so that what hours have brought is not lost with what comes after.
    if (options.json !== undefined) await writeFile(options.json, `${JSON.stringify(report, undefined, 2)}\n`);
  }
  return Object.values(trials).every(({ failed }) => !failed);
}

async function runTrial(trial: Trial, context: TrialContext): Promise<TrialReport> {
  try {
    return await trial.run(context);
  } catch (error) {
    const report = failedTrial(error);
    context.display.result(`${trial.name} broke off: ${report.failure}\n`);
    return report;
  } finally {
    await context.groups.end();
  }
}

function describeCommit(): string | null {
  const commit = answerOf("git", "rev-parse", "--short=12", "HEAD");
  if (commit === undefined) return null;
  // Results are no part of what is measured.
  return answerOf("git", "status", "--porcelain", "--", ":/", ":(top,exclude)bench/results") === ""
    ? commit
    : `${commit}+`;
}
