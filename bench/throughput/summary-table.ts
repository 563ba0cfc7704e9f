import { cell, mebibytesCell } from "../cell.ts";
import { failureLines } from "../failure-lines.ts";
import type { Series } from "../series.ts";
import { textTable } from "../text-table.ts";
import type { Summary } from "../summary.ts";

const HEADINGS = [
  "",
  "op/s",
  "min-max",
  "x direct",
  "x best peer",
  "x pipe",
  "p50 us",
  "p99 us",
  "cpu us/op",
  "peak MiB",
];

/** The figures of one workload as text: a line per contender, and a line per failure. */
export function summaryTable(summaries: readonly Summary[], all: readonly Series[]): string {
  return textTable([HEADINGS, ...summaries.map(cellsOf)]) + failureLines(all);
}

function cellsOf(summary: Summary): string[] {
  return [
    summary.name,
    summary.operationsPerSecond.toFixed(0),
    `${summary.operationsPerSecondMin.toFixed(0)}-${summary.operationsPerSecondMax.toFixed(0)}`,
    cell(summary.ratioToDirect, 2),
    cell(summary.ratioToBestPeer, 2),
    cell(summary.ratioToPipe, 2),
    cell(summary.p50Us, 0),
    cell(summary.p99Us, 0),
    cell(summary.cpuUsPerOperation, 1),
    mebibytesCell(summary.peakMemoryKib),
  ];
}
