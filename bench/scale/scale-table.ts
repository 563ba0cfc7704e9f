import { cell, mebibytesCell } from "../cell.ts";
import { failureLines } from "../failure-lines.ts";
import type { Series } from "../series.ts";
import type { Summary } from "../summary.ts";
import { textTable } from "../text-table.ts";

/** From here on there is next to nothing left. */
const FULL_SHARE = 0.9;

const HEADINGS = [
  "",
  "op/s in all",
  "x direct",
  "x best peer",
  "p50 us",
  "p99 us",
  "cpu us/op",
  "peak MiB",
  "processors",
  "main thread",
  "machine",
  "full",
];

/** The figures of one workload with so many clients: a line per contender, and a line per failure. */
export function scaleTable(summaries: readonly Summary[], all: readonly Series[]): string {
  return textTable([HEADINGS, ...summaries.map(cellsOf)]) + failureLines(all);
}

/** What is used up: the one thread of an event loop, the machine, or neither. */
export function whatIsFull({ mainThreadShare, machineShare }: Summary): string {
  const full = [
    ...(mainThreadShare !== null && mainThreadShare >= FULL_SHARE ? ["thread"] : []),
    ...(machineShare >= FULL_SHARE ? ["machine"] : []),
  ];
  return full.length === 0 ? "-" : full.join(", ");
}

function cellsOf(summary: Summary): string[] {
  return [
    summary.name,
    cell(summary.operationsPerSecond, 0),
    cell(summary.ratioToDirect, 2),
    cell(summary.ratioToBestPeer, 2),
    cell(summary.p50Us, 0),
    cell(summary.p99Us, 0),
    cell(summary.cpuUsPerOperation, 1),
    mebibytesCell(summary.peakMemoryKib),
    cell(summary.busyProcessors, 2),
    percentCell(summary.mainThreadShare),
    percentCell(summary.machineShare),
    whatIsFull(summary),
  ];
}

function percentCell(share: number | null): string {
  return share === null ? "-" : `${cell(share * 100, 0)}%`;
}
