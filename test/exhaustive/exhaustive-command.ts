import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { CONTROLS } from "./controls.ts";
import { shareOut } from "./exhaustive-jobs.ts";
import { historyText } from "./history-text.ts";
import { search, type SearchOptions, type SearchReport, type Violation } from "./search.ts";

/** The search as a command: what scripts/exhaustive.mjs runs, with the process's arguments. */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      operations: { type: "string", default: "3" },
      faults: { type: "string", default: "2" },
      waits: { type: "string", default: "1" },
      mutation: { type: "string" },
      all: { type: "boolean", default: false },
      jobs: { type: "string", default: "1" },
      job: { type: "string" },
      replay: { type: "string" },
    },
  });
  const { mutation, replay, job } = values;
  const control = mutation === undefined ? undefined : CONTROLS[mutation];
  if (mutation !== undefined && control === undefined) {
    throw new Error(`there is no mutation ${mutation}; there are: ${Object.keys(CONTROLS).join(", ")}`);
  }
  control?.apply?.();
  const [faults, waits, jobs] = [Number(values.faults), Number(values.waits), Number(values.jobs)];
  const options = {
    faults,
    waits,
    jobs,
    flow: control?.flow ?? {},
    pruned: !values.all,
    first: true,
  };
  const rest = [
    ["--faults", String(faults), "--waits", String(waits)],
    mutation === undefined ? [] : ["--mutation", mutation],
    values.all ? ["--all"] : [],
  ].flat();
  if (replay !== undefined) {
    const [workload = [], choices = []] = replay.split("/").map((part) => part.split(".").map(Number));
    console.log(historyText(workload, choices, { ...options, operations: workload.length }));
    return;
  }
  if (job !== undefined) {
    process.send?.(search({ ...options, operations: Number(values.operations), job: Number(job) }));
    return;
  }
  for (let operations = 1; operations <= Number(values.operations); operations += 1) {
    const startMs = performance.now();
    const sized = { ...options, operations };
    const args = ["--operations", String(operations), ...rest];
    const report = jobs > 1 ? await shareOut(jobs, fileURLToPath(import.meta.url), args) : search(sized);
    console.log(summary(sized, report, performance.now() - startMs));
    if (report.firstViolation === undefined) continue;
    console.log(violationText(sized, report.firstViolation, rest));
    process.exitCode = 1;
    return;
  }
}

function summary({ operations, faults, waits }: SearchOptions, report: SearchReport, tookMs: number): string {
  const { histories, pruned, steps, known, violations } = report;
  const perSecond = Math.round(((histories + pruned) / tookMs) * 1000);
  return (
    `operations ${operations}, faults <= ${faults}, waits <= ${waits}: ${histories} histories, ${steps} steps, ` +
    `${pruned} given up for others, ${known} states of knowledge, ${violations} violations, ` +
    `${(tookMs / 1000).toFixed(1)} s, ${perSecond}/s`
  );
}

function violationText(
  options: SearchOptions,
  { choices, workload, wrong }: Violation,
  rest: readonly string[],
): string {
  const which = `${workload.join(".")}/${choices.join(".")}`;
  const again = `again: node scripts/exhaustive.mjs ${rest.join(" ")} --replay ${which}`;
  return `first violation: ${wrong}\n${historyText(workload, choices, options)}\n${again}`;
}

await main();
