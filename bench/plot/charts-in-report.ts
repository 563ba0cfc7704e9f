import type { Chart } from "../chart.ts";

/** A chart, and the trial that it is of. */
export interface FoundChart {
  readonly trial: string;
  readonly chart: Chart;
}

/** A file that is not what `npm run bench` writes. */
export class BadReport extends Error {
  override readonly name = "BadReport";
}

/** All charts in the JSON of a report, in its order, whatever else is in there. Throws BadReport. */
export function chartsInReport(text: string): FoundChart[] {
  const trials = member(parse(text), "trials");
  if (!isObject(trials)) throw new BadReport("it has no trials: not a report of the bench");
  return Object.entries(trials).flatMap(([trial, report]) => {
    const charts = member(report, "charts") ?? [];
    if (!Array.isArray(charts)) throw new BadReport(`the charts of ${trial} are no list`);
    return charts.map((chart: unknown, i) => {
      if (!isChart(chart)) throw new BadReport(`chart ${i + 1} of ${trial} is not a chart`);
      return { trial, chart };
    });
  });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new BadReport("it is no JSON", { cause: error });
  }
}

function isChart(value: unknown): value is Chart {
  const categories = member(value, "categories");
  const series = member(value, "series");
  const name = member(value, "name");
  return (
    // It becomes part of a file's name.
    isText(name) &&
    /^[a-z\d][a-z\d-]*$/.test(name) &&
    isText(member(value, "title")) &&
    isText(member(value, "unit")) &&
    ["bars", "lines"].includes(String(member(value, "kind"))) &&
    Array.isArray(categories) &&
    categories.every(isText) &&
    Array.isArray(series) &&
    series.every((one) => isSeries(one, categories.length))
  );
}

function isSeries(value: unknown, length: number): boolean {
  const values = member(value, "values");
  return (
    isText(member(value, "name")) &&
    Array.isArray(values) &&
    values.length === length &&
    values.every((one) => one === null || typeof one === "number")
  );
}

function member(value: unknown, name: string): unknown {
  return isObject(value) ? value[name] : undefined;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}
