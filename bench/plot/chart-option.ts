import type { EChartsOption } from "echarts";

import type { Chart } from "../chart.ts";
import { shortNumber } from "./short-number.ts";

/** Told apart by those who don't see all colours; Okabe and Ito's, without the yellow that is lost on white. */
const COLORS = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#7f7f7f", "#000000"];
const SYMBOLS = ["circle", "rect", "triangle", "diamond", "roundRect"];
const TEXT_COLOR = "#24292f";
const LINE_COLOR = "#d0d7de";
/** With more, the numbers above the bars would cover each other. */
const LABELLED_BARS_MAX = 40;

/** A chart in the words of ECharts. Its own white card makes it readable on a dark page too. */
export function chartOption(chart: Chart): EChartsOption {
  const bars = chart.series.length * chart.categories.length;
  const text = { color: TEXT_COLOR, fontFamily: "sans-serif" };
  return {
    animation: false,
    backgroundColor: "#ffffff",
    color: COLORS,
    textStyle: text,
    title: {
      text: chart.title,
      subtext: chart.unit,
      left: 20,
      top: 14,
      textStyle: { ...text, fontSize: 16 },
      subtextStyle: { ...text, fontSize: 12 },
    },
    legend: { bottom: 10, itemGap: 28, selectedMode: false, textStyle: text },
    grid: { left: 76, right: 30, top: 84, bottom: 74 },
    xAxis: {
      type: "category",
      data: [...chart.categories],
      axisLabel: { ...text, interval: 0 },
      axisLine: { lineStyle: { color: LINE_COLOR } },
      axisTick: { show: false },
    },
    yAxis: {
      type: "value",
      min: 0,
      axisLabel: { ...text, formatter: shortNumber },
      splitLine: { lineStyle: { color: LINE_COLOR } },
    },
    series: chart.series.map(({ name, values }, i) => {
      // ECharts' word for a gap.
      const data = values.map((value) => value ?? "-");
      if (chart.kind === "lines") {
        const symbol = SYMBOLS[i % SYMBOLS.length] ?? "circle";
        return { type: "line", name, data, silent: true, symbol, symbolSize: 8, lineStyle: { width: 2 } };
      }
      const label = {
        ...text,
        show: bars <= LABELLED_BARS_MAX,
        position: "top" as const,
        fontSize: 10,
        formatter: ({ value }: { value: unknown }) => (typeof value === "number" ? shortNumber(value) : ""),
      };
      return { type: "bar", name, data, silent: true, barGap: "10%", label };
    }),
  };
}
