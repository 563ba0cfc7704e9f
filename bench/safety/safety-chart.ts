import type { Chart } from "../chart.ts";
import type { SafetyWorkloadReport } from "./safety-report.ts";
import { DEFAULTS } from "./safety-feature.ts";

/** What each feature makes of the speed, a group of bars per workload. */
export function safetyChart(workloads: readonly SafetyWorkloadReport[]): Chart {
  const ours = workloads.flatMap(({ contenders }) => contenders.filter(({ role }) => role === "ours"));
  const names = [...new Set(ours.map(({ name }) => name))].filter((name) => name !== DEFAULTS);
  return {
    name: "features",
    title: "Speed with one thing changed; with the defaults it is 1",
    kind: "bars",
    unit: "multiple of the speed with the defaults",
    categories: workloads.map(({ workload }) => workload.name),
    series: names.map((name) => ({
      name,
      values: workloads.map(({ summaries }) => summaries.find((summary) => summary.name === name)?.ratioToBase ?? null),
    })),
  };
}
