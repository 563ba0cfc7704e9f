import { expect, it } from "vitest";

import { safetyChart } from "../../../../bench/safety/safety-chart.ts";
import { safetySummaries } from "../../../../bench/safety/safety-summary.ts";
import { safetyTable } from "../../../../bench/safety/safety-table.ts";
import { seriesReport } from "../../../../bench/series-report.ts";
import { seriesOf } from "../series-of.ts";

const all = [
  seriesOf("direct", "direct", [100, 200, 400]),
  // Their medians are equal.
  seriesOf("defaults", "ours", [10, 20, 40]),
  seriesOf("no log", "ours", [30, 20, 10]),
  { ...seriesOf("broken", "ours", []), failure: "gone" },
];
const contenders = all.map(({ contender: { name } }) => ({ name, base: name === "direct" ? name : "defaults" }));
const summaries = safetySummaries(all, contenders);

it("compares with the defaults round by round", () => {
  expect(summaries.map(({ name, ratioToBase }) => [name, ratioToBase])).toEqual([
    ["direct", 1],
    ["defaults", 1],
    ["no log", 1],
  ]);
  const changed = [seriesOf("defaults", "ours", [10, 20, 40]), seriesOf("no log", "ours", [20, 20, 20])];
  expect(safetySummaries(changed, contenders)[1]?.ratioToBase).toBe(1);
  expect(safetySummaries([seriesOf("no log", "ours", [20])], contenders)[0]?.ratioToBase).toBe(null);
});

it("shows them in a table, with no ratio to the defaults for what has none", () => {
  const lines = safetyTable(summaries, all).split("\n");
  expect(lines[1]).toMatch(/^direct +200 +100-400 +- +1\.00/);
  expect(lines[2]).toMatch(/^defaults +20 +10-40 +1\.000 +0\.10/);
  expect(lines).toContain("broken failed: gone");
});

it("has a chart of all but the defaults, with gaps for what failed", () => {
  const workload = { name: "w", pattern: "read", blockSizeBytes: 4096, depth: 1 } as const;
  const chart = safetyChart([{ workload, summaries, contenders: all.map(seriesReport) }]);
  expect(chart.categories).toEqual(["w"]);
  expect(chart.series).toEqual([
    { name: "no log", values: [1] },
    { name: "broken", values: [null] },
  ]);
});
