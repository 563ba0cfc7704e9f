import { cell } from "../cell.ts";
import { textTable } from "../text-table.ts";
import type { GarbageSummary } from "./garbage-summary.ts";

const HEADINGS = ["", "op/s", "bytes/op", "scavenges/s", "collecting %"];

/** A program's figures under one workload. */
export interface GarbageRow extends GarbageSummary {
  readonly name: string;
  readonly operationsPerSecond: number;
}

/** The figures of one workload as text: a line for each program. */
export function garbageTable(rows: readonly GarbageRow[]): string {
  return textTable([
    HEADINGS,
    ...rows.map(({ name, operationsPerSecond, bytesPerRequest, scavengesPerSecond, collectingShare }) => [
      name,
      operationsPerSecond.toFixed(0),
      cell(bytesPerRequest, 0),
      cell(scavengesPerSecond, 1),
      cell(collectingShare === null ? null : collectingShare * 100, 2),
    ]),
  ]);
}
