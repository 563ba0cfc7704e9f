import { textTable } from "../bench/text-table.ts";
import type { CampaignSummary, SummaryRow } from "./campaign-summary.ts";

const MIB = 1024 * 1024;

const HEADINGS = [
  "",
  "faults",
  "with unflushed",
  "operations",
  "MiB written",
  "MiB read back",
  "errors",
  "wrong blocks",
  "cycles with losses",
];

/** The figures of a campaign as text: a line per fault and server, and their sum. */
export function campaignTable({ rows, total }: CampaignSummary): string {
  const lines = rows.map((row) => [`${row.fault} of ${row.server}`, ...cellsOf(row)]);
  return textTable([HEADINGS, ...lines, ["all", ...cellsOf(total)]]);
}

function cellsOf(row: Omit<SummaryRow, "fault" | "server">): string[] {
  return [
    row.faults,
    row.unflushed,
    row.operations,
    Math.round(row.bytesWritten / MIB),
    Math.round(row.bytesRead / MIB),
    row.errors,
    row.wrongBlocks,
    row.cyclesWithLosses,
  ].map(String);
}
