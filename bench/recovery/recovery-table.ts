import { cell } from "../cell.ts";
import { textTable } from "../text-table.ts";
import type { RecoverySummary } from "./recovery-summary.ts";

const HEADINGS = ["", "outages", "failed", "median ms", "mean ms", "max ms"];

/** The figures of all contenders as text: a line for each. */
export function recoveryTable(summaries: readonly RecoverySummary[]): string {
  return textTable([
    HEADINGS,
    ...summaries.map(({ name, outages, failures, medianMs, meanMs, maxMs }) => [
      name,
      String(outages),
      String(failures),
      cell(medianMs, 0),
      cell(meanMs, 0),
      cell(maxMs, 0),
    ]),
  ]);
}
