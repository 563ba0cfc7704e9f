import type { Chart } from "../chart.ts";
import type { Role } from "../contender.ts";
import type { WorkloadReport } from "./throughput-report.ts";

/** Ours, the best resilient peer and the pipe under each workload, as multiples of the peer's speed. */
export function throughputChart(workloads: readonly WorkloadReport[]): Chart {
  const all = workloads.flatMap(({ contenders }) => contenders);
  const namesOf = (role: Role): string[] => {
    return [...new Set(all.filter((contender) => contender.role === role).map(({ name }) => name))];
  };
  const ratiosOf = (name: string): (number | null)[] =>
    workloads.map(({ summaries }) => summaries.find((summary) => summary.name === name)?.ratioToBestPeer ?? null);
  // Whoever has a ratio has it to a best peer.
  const thereIsOne = workloads.map(({ summaries }) =>
    summaries.some(({ ratioToBestPeer }) => ratioToBestPeer !== null),
  );
  return {
    name: "peers",
    title: "Speed beside other programs; the best that survives a restart of the server is 1",
    kind: "bars",
    unit: "multiple of the best peer's speed",
    categories: workloads.map(({ workload }) => workload.name),
    series: [
      ...namesOf("ours").map((name) => ({ name, values: ratiosOf(name) })),
      { name: "best peer", values: thereIsOne.map((is) => (is ? 1 : null)) },
      ...namesOf("pipe").map((name) => ({ name: `${name}, a mere pipe`, values: ratiosOf(name) })),
    ],
  };
}
