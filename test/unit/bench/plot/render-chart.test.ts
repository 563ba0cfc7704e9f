import { readFileSync } from "node:fs";

import { describe, expect, it } from "vitest";

import { chartsInReport } from "../../../../bench/plot/charts-in-report.ts";
import { renderChart } from "../../../../bench/plot/render-chart.ts";

const charts = chartsInReport(readFileSync(new URL("report.json", import.meta.url), "utf8")).map(({ chart }) => chart);

describe("renderChart", () => {
  it.each(charts)("draws $name on a white card, with its words", (chart) => {
    const svg = renderChart(chart);
    expect(svg).toMatch(
      /^<svg width="960" height="440" .*\n<rect width="960" height="440" x="0" y="0" fill="#ffffff">/,
    );
    expect(svg).toMatch(/<\/svg>\n$/);
    const words = [chart.title, chart.unit, ...chart.categories, ...chart.series.map(({ name }) => name)];
    for (const word of words) expect(svg).toContain(`>${escaped(word)}<`);
  });

  it("writes the numbers above the bars", () => {
    const [bars] = charts;
    expect(bars && renderChart(bars)).toContain(">1.25<");
  });

  it("draws the same again, whatever was drawn before", () => {
    const first = charts.map(renderChart);
    const again = charts.toReversed().map(renderChart).toReversed();
    expect(again).toEqual(first);
  });
});

function escaped(text: string): string {
  return text.replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll("'", "&#39;");
}
