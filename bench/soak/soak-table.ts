import { cell } from "../cell.ts";
import { textTable } from "../text-table.ts";
import type { IdleUsage } from "./idle-usage.ts";
import type { MemoryCourse } from "./memory-course.ts";

const MEMORY_HEADINGS = ["memory in MiB", "1/4", "1/2", "3/4", "end", "peak", "MiB/min"];
const IDLE_HEADINGS = ["idle", "cpu ms/s", "wake-ups/s"];

/** What is told of one program. */
export interface SoakRow extends MemoryCourse {
  readonly name: string;
  /** With clients that want nothing, and without any. */
  readonly idleConnected: IdleUsage;
  readonly idleAlone: IdleUsage;
}

/** The figures of all programs as text: a table of their memory, and one of what they do when there is nothing to do. */
export function soakTable(rows: readonly SoakRow[]): string {
  const memory = rows.map(({ name, quartersMib, peakMib, slopeMibPerMinute }) => [
    name,
    ...[...quartersMib, peakMib].map((mib) => mib.toFixed(1)),
    cell(slopeMibPerMinute, 2),
  ]);
  const idle = rows.flatMap(({ name, idleConnected, idleAlone }) => [
    [`${name}, clients connected`, ...cellsOf(idleConnected)],
    [`${name}, no clients`, ...cellsOf(idleAlone)],
  ]);
  return `${textTable([MEMORY_HEADINGS, ...memory])}\n${textTable([IDLE_HEADINGS, ...idle])}`;
}

function cellsOf({ cpuMsPerSecond, wakeUpsPerSecond }: IdleUsage): string[] {
  return [cpuMsPerSecond.toFixed(3), wakeUpsPerSecond.toFixed(2)];
}
