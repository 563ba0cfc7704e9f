import { runWorkload } from "../run-workload.ts";
import { seriesReport } from "../series-report.ts";
import { startServers } from "../start-servers.ts";
import { summarize } from "../summary.ts";
import type { Trial, TrialContext } from "../trial.ts";
import { scaleChart } from "./scale-chart.ts";
import { scaleContenders, takesPart } from "./scale-contenders.ts";
import { scaleOverview } from "./scale-overview.ts";
import type { ScaleReport, ScaleStep, ScaleWorkloadReport } from "./scale-report.ts";
import { scaleTable } from "./scale-table.ts";
import { CLIENT_COUNTS, SCALE_WORKLOADS, withClients } from "./scale-workload.ts";

/**
 * A round takes at least so long for each client. fio's threads begin one after another, and each counts from its own beginning:
 * 64 of them need some tenths of a second, and in a round not much longer each has the machine to itself for part of its time.
 */
const LEAST_SECONDS_PER_CLIENT = 1 / 32;

/** The trial of many clients at once. */
export const SCALE: Trial = {
  name: "scale",
  about: "How does it bear many clients at once, and what is the limit?",
  workloads: SCALE_WORKLOADS.map(({ name }) => name),
  run: runScale,
};

async function runScale({ display, groups, options, ...context }: TrialContext): Promise<ScaleReport> {
  const contenders = scaleContenders(context.contenders);
  const ports = await startServers(groups, contenders, options.sizeMib);
  const workloads: ScaleWorkloadReport[] = [];
  for (const workload of SCALE_WORKLOADS.filter(({ name }) => context.workloads.includes(name))) {
    const steps: ScaleStep[] = [];
    for (const clients of CLIENT_COUNTS) {
      const step = withClients(workload, clients);
      const players = contenders.filter((contender) => takesPart(contender, step));
      const pace = { ...options, seconds: Math.max(options.seconds, clients * LEAST_SECONDS_PER_CLIENT) };
      const all = await runWorkload(groups, players, ports, step, pace, (text) => display.progress(text));
      const summaries = summarize(all);
      display.result(`\n${workload.name}, ${clients} at once\n${scaleTable(summaries, all)}`);
      steps.push({ clients, summaries, contenders: all.map(seriesReport) });
    }
    const report = { workload, steps };
    display.result(`\n${workload.name}\n${scaleOverview(scaleChart(report))}`);
    workloads.push(report);
  }
  const series = workloads.flatMap(({ steps }) => steps.flatMap((step) => step.contenders));
  return {
    failed: series.length === 0 || series.some(({ failure }) => failure !== null),
    workloads,
    charts: workloads.map(scaleChart),
  };
}
