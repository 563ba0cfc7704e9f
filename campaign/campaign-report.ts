import type { Machine } from "../bench/machine.ts";
import type { CampaignSummary } from "./campaign-summary.ts";
import { wrongBlocks } from "./cycle-outcome.ts";
import type { CycleOutcome } from "./cycle-outcome.ts";
import type { CyclePlan } from "./cycle-plan.ts";
import type { Fault } from "./fault.ts";
import type { LeftOut } from "./fault-table.ts";
import type { Finding } from "./finding.ts";

/** So many findings of each fault are written down; the rest is counted. */
const FINDINGS_KEPT = 20;

/** Where and with what a campaign was made. */
export interface CampaignHead {
  readonly startedAt: string;
  /** With a plus behind it if the files differed from it. */
  readonly commit: string | null;
  readonly machine: Machine;
  readonly versions: Readonly<Record<string, string>>;
  readonly seed: number;
  readonly unflushed: string;
  readonly leftOut: readonly LeftOut[];
}

/** Everything about one campaign, as it is written to a file in JSON. */
export interface CampaignReport extends CampaignHead {
  readonly seconds: number;
  readonly verdict: string;
  readonly summary: CampaignSummary;
  readonly cycles: readonly CycleReport[];
}

/** One cycle in it. */
export interface CycleReport {
  readonly plan: CyclePlan;
  readonly seconds: number;
  readonly failure: string | null;
  readonly faults: readonly {
    readonly fault: Fault;
    readonly unflushedBytes: number;
    readonly operations: number;
    readonly bytesWritten: number;
    readonly bytesRead: number;
    readonly errors: Readonly<Record<string, number>>;
    readonly wrongBlocks: number;
    /** The first of them. */
    readonly findings: readonly Finding[];
  }[];
}

/** What is written down of a cycle. */
export function reportCycle({ plan, seconds, failure, windows }: CycleOutcome): CycleReport {
  const faults = windows.map(({ fault, unflushedBytes, tally }) => ({
    fault,
    unflushedBytes,
    operations: tally.operations,
    bytesWritten: tally.bytesWritten,
    bytesRead: tally.bytesRead,
    errors: Object.fromEntries(tally.errors),
    wrongBlocks: tally.findings.length,
    findings: tally.findings.slice(0, FINDINGS_KEPT),
  }));
  return { plan, seconds, failure: failure ?? null, faults };
}

/** The line that is printed of a cycle, and lines about what was wrong in it. */
export function cycleLine(number: number, outcome: CycleOutcome): string {
  const { plan, windows, seconds, failure } = outcome;
  const { load } = plan;
  const client = load.kind === "fio" ? "fio" : `${load.clients} x ${load.depth}`;
  const operations = windows.reduce((sum, { tally }) => sum + tally.operations, 0);
  const faults = windows.map(({ fault }) => fault).join(" ");
  const head = `cycle ${number}, seed ${plan.seed}: ${plan.server}, ${client}: ${faults || "no fault"};`;
  const figures = `${operations} operations in ${seconds.toFixed(1)} s, ${wrongBlocks(outcome)} blocks lost or wrong`;
  const examples = windows.flatMap(({ fault, tally }) =>
    tally.findings.slice(0, 3).map(({ kind, block, text }) => `  ${kind} after ${fault}: block ${block}: ${text}\n`),
  );
  const trouble = failure === undefined ? "" : `  failed: ${failure.replaceAll("\n", "\n  ")}\n`;
  return `${head} ${figures}\n${examples.slice(0, 6).join("")}${trouble}`;
}
