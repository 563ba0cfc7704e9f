import { describe, expect, it } from "vitest";

import { scaleChart } from "../../../../bench/scale/scale-chart.ts";
import { scaleOverview } from "../../../../bench/scale/scale-overview.ts";
import { scaleTable, whatIsFull } from "../../../../bench/scale/scale-table.ts";
import { summarize } from "../../../../bench/summary.ts";
import type { Summary } from "../../../../bench/summary.ts";
import { seriesOf } from "../series-of.ts";

function summaries(...speeds: readonly [string, number][]): Summary[] {
  return summarize(speeds.map(([name, speed]) => seriesOf(name, name === "direct" ? "direct" : "ours", [speed])));
}

describe("scaleTable", () => {
  it("has a line per contender, and a dash where there is no figure", () => {
    expect(
      scaleTable(summaries(["direct", 2000], ["ours", 1000]), [])
        .split("\n")
        .slice(1),
    ).toEqual([
      "direct         2000      1.00            -      10     100          -         -           -            -      75%     -",
      "ours           1000      0.50            -      10     100       20.0       2.0        1.00          50%      75%     -",
      "",
    ]);
  });
});

describe("whatIsFull", () => {
  it.each([
    [0.5, 0.5, "-"],
    [0.9, 0.5, "thread"],
    [0.5, 0.9, "machine"],
    [0.97, 1, "thread, machine"],
    [null, 0.95, "machine"],
  ])("with %j of the thread and %j of the machine is %j", (mainThreadShare, machineShare, expected) => {
    const [summary] = summaries(["ours", 1]);
    expect(summary && whatIsFull({ ...summary, mainThreadShare, machineShare })).toBe(expected);
  });
});

describe("scaleChart", () => {
  const workload = { name: "w", pattern: "randread", blockSizeBytes: 4096, depth: 4 } as const;
  const chart = scaleChart({
    workload,
    steps: [
      { clients: 1, summaries: summaries(["ours", 10]), contenders: [] },
      { clients: 4, summaries: summaries(["ours", 30], ["two", 50]), contenders: [] },
    ],
  });

  it("has a line per contender over the number of clients, and gaps where it had no part", () => {
    expect(chart.categories).toEqual(["1 client", "4 clients"]);
    expect(chart.series).toEqual([
      { name: "ours", values: [10, 30] },
      { name: "two", values: [null, 50] },
    ]);
  });

  it("is a table as well", () => {
    expect(scaleOverview(chart)).toBe(
      "op/s in all  1 client  4 clients\nours               10         30\ntwo                 -         50\n",
    );
  });
});
