import { runWorkload } from "../run-workload.ts";
import { seriesReport } from "../series-report.ts";
import { startServers } from "../start-servers.ts";
import type { Trial, TrialContext } from "../trial.ts";
import { WORKLOADS } from "../workload.ts";
import { summarize } from "../summary.ts";
import { summaryTable } from "./summary-table.ts";
import { throughputChart } from "./throughput-chart.ts";
import type { ThroughputReport, WorkloadReport } from "./throughput-report.ts";

/** The trial of speed, latency and memory, beside the peers. */
export const THROUGHPUT: Trial = {
  name: "throughput",
  about: "How fast is it, beside other programs and none?",
  workloads: WORKLOADS.map(({ name }) => name),
  run: runThroughput,
};

async function runThroughput(context: TrialContext): Promise<ThroughputReport> {
  const { contenders, display, groups, options } = context;
  const ports = await startServers(groups, contenders, options.sizeMib);
  const workloads: WorkloadReport[] = [];
  for (const workload of WORKLOADS.filter(({ name }) => context.workloads.includes(name))) {
    const all = await runWorkload(groups, contenders, ports, workload, options, (text) => display.progress(text));
    const summaries = summarize(all);
    display.result(`\n${workload.name}\n${summaryTable(summaries, all)}`);
    workloads.push({ workload, summaries, contenders: all.map(seriesReport) });
  }
  const failed = workloads.some((workload) => workload.contenders.some(({ failure }) => failure !== null));
  return { failed, workloads, charts: [throughputChart(workloads)] };
}
