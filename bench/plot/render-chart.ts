import { init } from "echarts";

import type { Chart } from "../chart.ts";
import { chartOption } from "./chart-option.ts";

const WIDTH = 960;
const HEIGHT = 440;

/** Draws a chart as SVG: the same text for the same chart, whatever was drawn before. */
export function renderChart(chart: Chart): string {
  const canvas = init(null, null, { renderer: "svg", ssr: true, width: WIDTH, height: HEIGHT });
  try {
    canvas.setOption(chartOption(chart));
    return `${withOwnNumbers(canvas.renderToSVGString())}\n`;
  } finally {
    // Otherwise its timers keep the process alive.
    canvas.dispose();
  }
}

/** ECharts numbers its classes and clip paths over all charts of a process; this does it over one. */
function withOwnNumbers(svg: string): string {
  const numbers = new Map<string, string>();
  return svg.replaceAll(/\bzr\d+-(?:cls-|[a-z]+)\d+\b/g, (name) => {
    const known = numbers.get(name) ?? `zr-${numbers.size}`;
    numbers.set(name, known);
    return known;
  });
}
