import { wrongBlocks } from "./cycle-outcome.ts";
import type { CycleOutcome } from "./cycle-outcome.ts";
import { FAULTS } from "./fault.ts";
import type { Fault } from "./fault.ts";
import { SERVER_NAMES } from "./server-name.ts";
import type { ServerName } from "./server-name.ts";

/** The figures of one kind of fault of one server. */
export interface SummaryRow {
  readonly fault: Fault;
  readonly server: ServerName;
  faults: number;
  /** Faults by which the server lost its power with unflushed data in its cache. */
  unflushed: number;
  /** Of these, after how many something was lost. */
  unflushedLost: number;
  operations: number;
  bytesWritten: number;
  bytesRead: number;
  /** Error replies that clients got. */
  errors: number;
  wrongBlocks: number;
  cyclesWithLosses: number;
}

/** The figures of a whole campaign. */
export interface CampaignSummary {
  readonly rows: readonly SummaryRow[];
  readonly total: Omit<SummaryRow, "fault" | "server">;
  readonly cycles: number;
  /** Cycles that could not go on, or in which clients saw errors that they must not. */
  readonly failures: number;
}

/** Sums up cycles, in the order of faults and servers. */
export function summarizeCampaign(outcomes: readonly CycleOutcome[]): CampaignSummary {
  const rows = FAULTS.flatMap((fault) => SERVER_NAMES.map((server) => rowOf(fault, server, outcomes)));
  const total = { ...EMPTY };
  for (const row of rows) for (const key of FIGURES) total[key] += row[key];
  // One cycle may be in several rows.
  total.cyclesWithLosses = outcomes.filter((outcome) => wrongBlocks(outcome) > 0).length;
  return {
    rows: rows.filter(({ faults }) => faults > 0),
    total,
    cycles: outcomes.length,
    failures: outcomes.filter(({ failure }) => failure !== undefined).length,
  };
}

const EMPTY = {
  faults: 0,
  unflushed: 0,
  unflushedLost: 0,
  operations: 0,
  bytesWritten: 0,
  bytesRead: 0,
  errors: 0,
  wrongBlocks: 0,
  cyclesWithLosses: 0,
};

const FIGURES = Object.keys(EMPTY) as (keyof typeof EMPTY)[];

function rowOf(fault: Fault, server: ServerName, outcomes: readonly CycleOutcome[]): SummaryRow {
  const row = { fault, server, ...EMPTY };
  for (const { plan, windows } of outcomes) {
    const own = plan.server === server ? windows.filter((window) => window.fault === fault) : [];
    for (const { tally, unflushedBytes } of own) {
      const { findings } = tally;
      row.faults += 1;
      if (fault === "power-loss" && unflushedBytes > 0) {
        row.unflushed += 1;
        if (findings.length > 0) row.unflushedLost += 1;
      }
      row.operations += tally.operations;
      row.bytesWritten += tally.bytesWritten;
      row.bytesRead += tally.bytesRead;
      for (const count of tally.errors.values()) row.errors += count;
      row.wrongBlocks += findings.length;
    }
    if (own.some(({ tally }) => tally.findings.length > 0)) row.cyclesWithLosses += 1;
  }
  return row;
}
