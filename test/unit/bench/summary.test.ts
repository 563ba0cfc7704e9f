import { describe, expect, it } from "vitest";

import type { Role } from "../../../bench/contender.ts";
import type { Series } from "../../../bench/series.ts";
import { summarize } from "../../../bench/summary.ts";

function series(name: string, role: Role, speeds: readonly number[], p99Us = 100): Series {
  const rounds = speeds.map((operationsPerSecond, i) => ({
    operations: operationsPerSecond * 2,
    operationsPerSecond,
    p50Us: 10 + i,
    p99Us,
    cpuUsPerOperation: role === "direct" ? null : 20 + i,
    peakMemoryKib: role === "direct" ? null : 1000 - i,
    busyProcessors: role === "direct" ? null : 1 + i / 10,
    mainThreadShare: role === "direct" ? null : 0.5 + i / 10,
    machineShare: 0.7 + i / 10,
  }));
  return { contender: { name, role }, rounds, failure: undefined };
}

describe("summarize", () => {
  it("takes medians, the range, and the highest memory", () => {
    const [summary] = summarize([series("ours", "ours", [30, 10, 20])]);
    expect(summary).toEqual({
      name: "ours",
      operationsPerSecond: 20,
      operationsPerSecondMin: 10,
      operationsPerSecondMax: 30,
      ratioToDirect: null,
      ratioToBestPeer: null,
      ratioToPipe: null,
      p50Us: 11,
      p99Us: 100,
      p99RatioToBestPeer: null,
      p99RatioToPipe: null,
      cpuUsPerOperation: 21,
      peakMemoryKib: 1000,
      busyProcessors: 1.1,
      mainThreadShare: 0.6,
      machineShare: 0.7 + 0.1,
    });
  });

  it("compares round by round, so that a drift of the machine cancels out", () => {
    const [, ours] = summarize([series("direct", "direct", [10, 20, 40]), series("ours", "ours", [30, 10, 20])]);
    // The medians are equal.
    expect(ours?.ratioToDirect).toBe(0.5);
  });

  it("compares speed with the fastest resilient peer and p99 with the quickest to answer, and no other peer", () => {
    const all = [
      series("fast but fragile", "peer", [90, 90], 1),
      series("fast", "resilient", [40, 40], 400),
      series("quick", "resilient", [10, 10], 50),
      series("pipe", "pipe", [80, 80], 200),
      series("ours", "ours", [60, 60], 100),
    ];
    const ours = summarize(all).at(-1);
    expect(ours).toMatchObject({ ratioToBestPeer: 1.5, p99RatioToBestPeer: 2, ratioToPipe: 0.75, p99RatioToPipe: 0.5 });
  });

  it("compares over the rounds that both have when one failed on the way", () => {
    const [direct, ours] = summarize([
      { ...series("direct", "direct", [100]), failure: "gone" },
      series("ours", "ours", [50, 7, 7]),
    ]);
    expect(direct?.ratioToDirect).toBe(1);
    expect(ours?.ratioToDirect).toBe(0.5);
  });

  it("has nothing to tell of who never was measured", () => {
    const all = [series("broken", "resilient", []), series("ours", "ours", [1])];
    expect(summarize(all).map(({ name }) => name)).toEqual(["ours"]);
    expect(summarize(all)[0]?.ratioToBestPeer).toBe(null);
  });
});
