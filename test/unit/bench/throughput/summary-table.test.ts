import { describe, expect, it } from "vitest";

import type { Summary } from "../../../../bench/summary.ts";
import { summaryTable } from "../../../../bench/throughput/summary-table.ts";

const ours: Summary = {
  name: "flexnbd-proxy",
  operationsPerSecond: 24_707.6,
  operationsPerSecondMin: 22_018,
  operationsPerSecondMax: 27_397,
  ratioToDirect: 0.543,
  ratioToBestPeer: 1.614,
  ratioToPipe: 0.98,
  p50Us: 270.4,
  p99Us: 6029,
  p99RatioToBestPeer: 1.2,
  p99RatioToPipe: 1.3,
  cpuUsPerOperation: 19.83,
  peakMemoryKib: 61_672,
  busyProcessors: 0.9,
  mainThreadShare: 0.8,
  machineShare: 1,
};

describe("summaryTable", () => {
  it("has a line per contender, and a dash where there is no figure", () => {
    const direct = {
      ...ours,
      name: "direct",
      ratioToBestPeer: null,
      ratioToPipe: null,
      cpuUsPerOperation: null,
      peakMemoryKib: null,
    };
    expect(summaryTable([direct, ours], [])).toBe(
      [
        "                op/s      min-max  x direct  x best peer  x pipe  p50 us  p99 us  cpu us/op  peak MiB",
        "direct         24708  22018-27397      0.54            -       -     270    6029          -         -",
        "flexnbd-proxy  24708  22018-27397      0.54         1.61    0.98     270    6029       19.8      60.2",
        "",
      ].join("\n"),
    );
  });

  it("tells who failed, and why", () => {
    const all = [{ contender: { name: "peer", role: "peer" }, rounds: [], failure: "it ended at once" } as const];
    expect(summaryTable([], all)).toMatch(/^ .*\npeer failed: it ended at once\n$/);
  });
});
