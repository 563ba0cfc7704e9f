import { existsSync } from "node:fs";

import { CommanderError } from "commander";

import { parseBenchOptions } from "./bench-options.ts";
import { ProcessGroups } from "./process-groups.ts";
import { runBench } from "./run-bench.ts";

const SIGNAL_STATUS = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;

process.exitCode = await main();

/** Runs the command line; resolves to the exit status. */
async function main(): Promise<number> {
  const groups = new ProcessGroups();
  // Also when something was thrown, or stdout is gone.
  process.once("exit", () => groups.kill());
  for (const [signal, status] of Object.entries(SIGNAL_STATUS)) process.once(signal, () => process.exit(status));
  const out = (text: string): void => void process.stdout.write(text);
  const error = (text: string): void => void process.stderr.write(text);
  try {
    const [built, ...argv] = process.argv.slice(2);
    const options = parseBenchOptions(argv, { out, error });
    if (built === undefined || !existsSync(built)) throw new Error("dist/main.js is missing: npm run build");
    const progress = (text: string): void => error(`${text}\n`);
    return (await runBench(options, built, groups, { result: out, progress })) ? 0 : 1;
  } catch (failure) {
    if (failure instanceof CommanderError) return failure.exitCode === 0 ? 0 : 2;
    error(`bench: ${failure instanceof Error ? failure.message : String(failure)}\n`);
    return 1;
  } finally {
    await groups.end();
  }
}
