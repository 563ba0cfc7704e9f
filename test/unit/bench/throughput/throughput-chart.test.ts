import { expect, it } from "vitest";

import type { Series } from "../../../../bench/series.ts";
import { seriesReport } from "../../../../bench/series-report.ts";
import { summarize } from "../../../../bench/summary.ts";
import { throughputChart } from "../../../../bench/throughput/throughput-chart.ts";
import type { WorkloadReport } from "../../../../bench/throughput/throughput-report.ts";
import { seriesOf } from "../series-of.ts";

function under(name: string, all: readonly Series[]): WorkloadReport {
  const workload = { name, pattern: "read", blockSizeBytes: 4096, depth: 1 } as const;
  return { workload, summaries: summarize(all), contenders: all.map(seriesReport) };
}

it("has ours, the best peer and the pipe as multiples of the best peer, and gaps where there is none", () => {
  const chart = throughputChart([
    under("a", [
      seriesOf("slow", "resilient", [5]),
      seriesOf("fast", "resilient", [10]),
      seriesOf("socat", "pipe", [30]),
      seriesOf("ours", "ours", [20]),
    ]),
    under("b", [seriesOf("socat", "pipe", [30]), seriesOf("ours", "ours", [20])]),
  ]);
  expect(chart.categories).toEqual(["a", "b"]);
  expect(chart.series).toEqual([
    { name: "ours", values: [2, null] },
    { name: "best peer", values: [1, null] },
    { name: "socat, a mere pipe", values: [3, null] },
  ]);
});
