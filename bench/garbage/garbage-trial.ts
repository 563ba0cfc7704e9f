import assert from "node:assert";

import type { Chart } from "../chart.ts";
import type { Contender } from "../contender.ts";
import { fioArguments } from "../fio-arguments.ts";
import { startMemoryServer, uriOf } from "../memory-server.ts";
import { runFio } from "../run-fio.ts";
import { startProxy } from "../started-proxy.ts";
import type { Trial, TrialContext, TrialReport } from "../trial.ts";
import type { Workload } from "../workload.ts";
import { WORKLOADS } from "../workload.ts";
import { parseCollections } from "./collection.ts";
import { summarizeGarbage } from "./garbage-summary.ts";
import { garbageTable } from "./garbage-table.ts";
import type { GarbageRow } from "./garbage-table.ts";

const WORKLOAD_NAMES = ["read-4k-d16", "write-4k-d16"];
/** The heap's young part takes 16 MiB or more before it is collected: a few rounds' worth of requests. */
const ROUNDS_WORTH = 2;

interface GarbageReport extends TrialReport {
  readonly workloads: readonly { readonly name: string; readonly programs: readonly GarbageRow[] }[];
}

/** How much of the JavaScript heap a request costs in ours, and what it costs to have it back. */
export const GARBAGE: Trial = {
  name: "garbage",
  about: "How much of the JavaScript heap does a request use up?",
  workloads: WORKLOAD_NAMES,
  run,
};

async function run(context: TrialContext): Promise<GarbageReport> {
  const { options, groups, display } = context;
  const ours = context.contenders.filter(({ role }) => role === "ours");
  if (ours.length === 0) return { failed: false, workloads: [] };
  const serverPort = await startMemoryServer(groups, "newstyle", options.sizeMib);
  const workloads: { name: string; programs: GarbageRow[] }[] = [];
  for (const workload of WORKLOADS.filter(({ name }) => context.workloads.includes(name))) {
    const programs: GarbageRow[] = [];
    for (const contender of ours) {
      display.progress(`garbage, ${workload.name}: ${contender.name}`);
      programs.push(await measure(context, contender, serverPort, workload));
    }
    display.result(`\n${workload.name}\n${garbageTable(programs)}`);
    workloads.push({ name: workload.name, programs });
  }
  return { failed: false, workloads, charts: [chartOf(ours, workloads)] };
}

async function measure(
  { options, groups }: TrialContext,
  { name, command }: Contender,
  serverPort: number,
  workload: Workload,
): Promise<GarbageRow> {
  assert(command !== undefined, "ours is a program");
  const tracing: typeof command = (...ports) => {
    const [node, ...args] = command(...ports);
    return [node, "--trace-gc-nvp", ...args];
  };
  const { group, port } = await startProxy(groups, tracing, serverPort);
  const load = (seconds: number) => runFio(groups, fioArguments(workload, uriOf(port), seconds), seconds);
  await load(options.warmup);
  const before = parseCollections(group.stdout).length;
  const { operationsPerSecond } = await load(options.seconds * ROUNDS_WORTH);
  const collections = parseCollections(group.stdout).slice(before);
  await group.end();
  return { name, operationsPerSecond, ...summarizeGarbage(collections, operationsPerSecond) };
}

function chartOf(ours: readonly Contender[], workloads: GarbageReport["workloads"]): Chart {
  return {
    name: "garbage",
    title: "Bytes of the JavaScript heap per request",
    kind: "bars",
    unit: "bytes",
    categories: workloads.map(({ name }) => name),
    series: ours.map(({ name }, i) => ({
      name,
      values: workloads.map(({ programs }) => programs[i]?.bytesPerRequest ?? null),
    })),
  };
}
