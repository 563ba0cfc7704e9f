import { basename, dirname, extname, join } from "node:path";

import { Command } from "commander";

import type { Output } from "../bench-options.ts";

/** What is to be drawn, and where. */
export interface PlotOptions {
  /** The report. */
  readonly file: string;
  /** The folder for the pictures. */
  readonly out: string;
}

/** Reads the arguments. Throws a CommanderError when help was asked for, or after it was said what is wrong. */
export function parsePlotOptions(argv: readonly string[], output: Output): PlotOptions {
  const command = new Command("npm run bench:plot --")
    .description("Draws every chart in a report that npm run bench has written, each as an SVG file.")
    .exitOverride()
    .configureOutput({ writeOut: (text) => output.out(text), writeErr: (text) => output.error(text) })
    .argument("<file>", "the report, in JSON")
    .option("--out <folder>", "where to put the pictures; beside the report when absent")
    .parse(argv, { from: "user" });
  const [file = ""] = command.args;
  return { file, out: command.opts<{ out?: string }>().out ?? dirname(file) };
}

/** Where the picture of a chart belongs. */
export function pictureFile({ file, out }: PlotOptions, trial: string, chart: string): string {
  return join(out, `${basename(file, extname(file))}-${trial}-${chart}.svg`);
}
