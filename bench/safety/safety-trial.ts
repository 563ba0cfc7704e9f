import { runWorkload } from "../run-workload.ts";
import { seriesReport } from "../series-report.ts";
import { startServers } from "../start-servers.ts";
import type { Trial, TrialContext } from "../trial.ts";
import { WORKLOADS } from "../workload.ts";
import { safetyChart } from "./safety-chart.ts";
import { safetyContenders } from "./safety-contenders.ts";
import { SAFETY_FEATURES } from "./safety-feature.ts";
import type { SafetyReport, SafetyWorkloadReport } from "./safety-report.ts";
import { safetySummaries } from "./safety-summary.ts";
import { safetyTable } from "./safety-table.ts";

const SAFETY_WORKLOADS = ["read-4k-d16", "write-4k-d16", "read-128k-d16", "write-128k-d16"];

/** The trial of what each feature costs while nothing goes wrong. */
export const SAFETY: Trial = {
  name: "safety",
  about: "What does each of its features cost?",
  workloads: SAFETY_WORKLOADS,
  run: runSafety,
};

async function runSafety({ groups, display, main, nodes, options, ...context }: TrialContext): Promise<SafetyReport> {
  const contenders = safetyContenders(main, nodes);
  const ports = await startServers(groups, contenders, options.sizeMib);
  for (const { name, about } of SAFETY_FEATURES) display.result(`${name}: ${about}\n`);
  const workloads: SafetyWorkloadReport[] = [];
  for (const workload of WORKLOADS.filter(({ name }) => context.workloads.includes(name))) {
    const all = await runWorkload(groups, contenders, ports, workload, options, (text) => display.progress(text));
    const summaries = safetySummaries(all, contenders);
    display.result(`\n${workload.name}\n${safetyTable(summaries, all)}`);
    workloads.push({ workload, summaries, contenders: all.map(seriesReport) });
  }
  return {
    failed: workloads.some((workload) => workload.contenders.some(({ failure }) => failure !== null)),
    features: Object.fromEntries(SAFETY_FEATURES.map(({ name, about }) => [name, about])),
    workloads,
    charts: [safetyChart(workloads)],
  };
}
