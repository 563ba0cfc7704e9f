import { mkdirSync, readFileSync, writeFileSync } from "node:fs";

import { CommanderError } from "commander";

import { chartsInReport } from "./charts-in-report.ts";
import { parsePlotOptions, pictureFile } from "./plot-options.ts";
import { renderChart } from "./render-chart.ts";

process.exitCode = main();

/** Runs the command line; returns the exit status. */
function main(): number {
  const out = (text: string): void => void process.stdout.write(text);
  const error = (text: string): void => void process.stderr.write(text);
  try {
    const options = parsePlotOptions(process.argv.slice(2), { out, error });
    const charts = chartsInReport(readFileSync(options.file, "utf8"));
    if (charts.length === 0) throw new Error("there is no chart in it");
    mkdirSync(options.out, { recursive: true });
    for (const { trial, chart } of charts) {
      const picture = pictureFile(options, trial, chart.name);
      writeFileSync(picture, renderChart(chart));
      out(`${picture}\n`);
    }
    return 0;
  } catch (failure) {
    if (failure instanceof CommanderError) return failure.exitCode === 0 ? 0 : 2;
    error(`bench:plot: ${failure instanceof Error ? failure.message : String(failure)}\n`);
    return 1;
  }
}
