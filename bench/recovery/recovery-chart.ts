import type { Chart } from "../chart.ts";
import type { RecoverySummary } from "./recovery-summary.ts";

/** The middle and the worst of each line of a recovery table. */
export function recoveryChart(name: string, title: string, summaries: readonly RecoverySummary[]): Chart {
  return {
    name,
    title,
    kind: "bars",
    unit: "ms",
    categories: summaries.map((summary) => summary.name),
    series: [
      { name: "median", values: summaries.map(({ medianMs }) => medianMs) },
      { name: "max", values: summaries.map(({ maxMs }) => maxMs) },
    ],
  };
}
