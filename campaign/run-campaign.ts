import { writeFile } from "node:fs/promises";

import { findProgram } from "../bench/find-program.ts";
import { describeMachine } from "../bench/machine.ts";
import type { CampaignOptions } from "./campaign-options.ts";
import { cycleLine, reportCycle } from "./campaign-report.ts";
import type { CampaignHead, CampaignReport } from "./campaign-report.ts";
import { summarizeCampaign } from "./campaign-summary.ts";
import type { CampaignSummary } from "./campaign-summary.ts";
import { campaignTable } from "./campaign-table.ts";
import { campaignVersions, describeCommit } from "./campaign-versions.ts";
import { wrongBlocks } from "./cycle-outcome.ts";
import type { CycleOutcome } from "./cycle-outcome.ts";
import { planCycle } from "./cycle-plan.ts";
import { DiskOnMedium } from "./disk-on-medium.ts";
import { chooseFaults } from "./fault-table.ts";
import type { Choices } from "./fault-table.ts";
import type { Ground } from "./ground.ts";
import { runCycle } from "./run-cycle.ts";
import type { CycleSurroundings } from "./run-cycle.ts";
import { judgeCampaign } from "./verdict.ts";

/** Without protection each server with a volatile cache is to lose it, and the rest shows nothing. */
const CONTROL_FAULT = "power-loss";

/** What a campaign came to. */
export interface CampaignResult {
  readonly isGood: boolean;
  readonly summary: CampaignSummary;
}

/** Runs a campaign. `main` is the built main.js of the proxy; `display` gets lines of text. */
export async function runCampaign(
  options: CampaignOptions,
  main: string,
  ground: Ground,
  display: (text: string) => void,
): Promise<CampaignResult> {
  const isControl = options.unflushed === "off";
  const fault = isControl && options.fault.length === 0 ? ([CONTROL_FAULT] as const) : options.fault;
  const abilities = {
    isInstalled: (program: string) => findProgram(program) !== undefined,
    noPrivateGround: ground.notPrivate,
  };
  const { choices, leftOut } = chooseFaults({ fault, server: options.server }, abilities);
  const head: CampaignHead = {
    startedAt: new Date().toISOString(),
    commit: describeCommit(),
    machine: describeMachine(),
    versions: campaignVersions(),
    seed: options.seed,
    unflushed: options.unflushed,
    leftOut,
  };
  display(describeHead(head));
  const startMs = performance.now();
  const surroundings: CycleSurroundings = { ground, main, unflushed: options.unflushed };
  const outcomes = await runCycles(options, choices, surroundings, display);
  const summary = summarizeCampaign(outcomes);
  const seconds = (performance.now() - startMs) / 1000;
  const { isGood, text } = judgeCampaign(summary, options.unflushed);
  display(
    `\n${campaignTable(summary)}\n${text}\n${summary.cycles} cycles in ${Math.round(seconds)} s, seed ${options.seed}\n`,
  );
  if (options.json !== undefined) {
    const report: CampaignReport = { ...head, seconds, verdict: text, summary, cycles: outcomes.map(reportCycle) };
    await writeFile(options.json, `${JSON.stringify(report, undefined, 2)}\n`);
  }
  return { isGood, summary };
}

async function runCycles(
  options: CampaignOptions,
  choices: Choices,
  surroundings: CycleSurroundings,
  display: (text: string) => void,
): Promise<CycleOutcome[]> {
  const isControl = options.unflushed === "off";
  const outcomes: CycleOutcome[] = [];
  let disk: DiskOnMedium | undefined;
  for (let left = options.faults; left > 0;) {
    const whole = planCycle(options.seed + outcomes.length, choices, isControl);
    const plan = { ...whole, strikes: whole.strikes.slice(0, left) };
    if (disk === undefined || plan.isFresh || disk.sizeBytes !== plan.sizeBytes) {
      disk = await DiskOnMedium.create(surroundings.ground, plan.sizeBytes);
    }
    const outcome = await runCycle(plan, disk, surroundings);
    outcomes.push(outcome);
    display(cycleLine(outcomes.length, outcome));
    left -= Math.max(outcome.windows.length, 1);
    const isLost = wrongBlocks(outcome) > 0;
    if ((outcome.failure !== undefined || (isLost && !isControl)) && !options.keepGoing) break;
    // What is on it then is not known.
    if (outcome.failure !== undefined || isLost || plan.load.kind === "fio") disk = undefined;
  }
  return outcomes;
}

function describeHead({ commit, machine, versions, seed, unflushed, leftOut }: CampaignHead): string {
  const programs = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  const lines = [
    `commit ${commit ?? "unknown"}, seed ${seed}, --unflushed ${unflushed}`,
    [...programs, `kernel ${machine.kernel}`].join(", "),
    `${machine.processors} x ${machine.processor}`,
    ...leftOut.map(({ what, reason }) => `left out: ${what} (${reason})`),
  ];
  return lines.map((line) => `${line}\n`).join("");
}
