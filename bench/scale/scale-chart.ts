import type { Chart } from "../chart.ts";
import type { ScaleWorkloadReport } from "./scale-report.ts";

/** Requests per second over the number of clients, a line per contender. */
export function scaleChart({ workload, steps }: ScaleWorkloadReport): Chart {
  const names = [...new Set(steps.flatMap(({ summaries }) => summaries.map(({ name }) => name)))];
  return {
    name: workload.name,
    title: `${workload.name} from each of several clients`,
    kind: "lines",
    unit: "requests per second, all clients together",
    categories: steps.map(({ clients }) => (clients === 1 ? "1 client" : `${clients} clients`)),
    series: names.map((name) => ({
      name,
      values: steps.map(({ summaries }) => {
        return summaries.find((summary) => summary.name === name)?.operationsPerSecond ?? null;
      }),
    })),
  };
}
