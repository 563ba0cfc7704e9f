import { readFileSync } from "node:fs";

import { describe, expect, it } from "vitest";

import type { Chart } from "../../../../bench/chart.ts";
import { BadReport, chartsInReport } from "../../../../bench/plot/charts-in-report.ts";

const fixture = readFileSync(new URL("report.json", import.meta.url), "utf8");

const chart: Chart = { name: "a", title: "A", kind: "bars", unit: "s", categories: ["x"], series: [] };

function reportWith(...charts: readonly unknown[]): string {
  return JSON.stringify({ trials: { some: { failed: false, charts } } });
}

describe("chartsInReport", () => {
  it("are those of all trials, whatever else these have", () => {
    const found = chartsInReport(fixture);
    expect(found.map(({ trial, chart: { name, kind } }) => [trial, name, kind])).toEqual([
      ["throughput", "peers", "bars"],
      ["scale", "read-4k-d4", "lines"],
    ]);
  });

  it("are none when no trial has any", () => {
    expect(chartsInReport('{ "trials": { "some": { "failed": true } } }')).toEqual([]);
  });

  it.each([
    ["no JSON", "not JSON", "no JSON"],
    ["another file", "[]", "no trials"],
    ["a list of trials", '{ "trials": [] }', "no trials"],
    ["charts that are no list", '{ "trials": { "some": { "charts": {} } } }', "the charts of some are no list"],
    ["a chart that is none", reportWith(chart, 5), "chart 2 of some is not a chart"],
    ["a name that leads elsewhere", reportWith({ ...chart, name: "../a" }), "not a chart"],
    ["an unknown kind", reportWith({ ...chart, kind: "pie" }), "not a chart"],
    ["a value too few", reportWith({ ...chart, series: [{ name: "s", values: [] }] }), "not a chart"],
    ["a value that is no number", reportWith({ ...chart, series: [{ name: "s", values: ["1"] }] }), "not a chart"],
  ])("throws for %s", (_what, text, message) => {
    expect(() => chartsInReport(text)).toThrow(BadReport);
    expect(() => chartsInReport(text)).toThrow(message);
  });
});
