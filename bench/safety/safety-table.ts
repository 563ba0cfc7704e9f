import { cell, mebibytesCell } from "../cell.ts";
import { failureLines } from "../failure-lines.ts";
import type { Series } from "../series.ts";
import { textTable } from "../text-table.ts";
import type { SafetySummary } from "./safety-summary.ts";

const HEADINGS = ["", "op/s", "min-max", "x default", "x direct", "p50 us", "p99 us", "cpu us/op", "peak MiB"];

/** The figures of one workload as text: a line per feature, and a line per failure. */
export function safetyTable(summaries: readonly SafetySummary[], all: readonly Series[]): string {
  return textTable([HEADINGS, ...summaries.map(cellsOf)]) + failureLines(all);
}

function cellsOf(summary: SafetySummary): string[] {
  return [
    summary.name,
    cell(summary.operationsPerSecond, 0),
    `${cell(summary.operationsPerSecondMin, 0)}-${cell(summary.operationsPerSecondMax, 0)}`,
    // What stands in front of nothing has no defaults.
    cell(summary.cpuUsPerOperation === null ? null : summary.ratioToBase, 3),
    cell(summary.ratioToDirect, 2),
    cell(summary.p50Us, 0),
    cell(summary.p99Us, 0),
    cell(summary.cpuUsPerOperation, 1),
    mebibytesCell(summary.peakMemoryKib),
  ];
}
