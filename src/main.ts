#!/usr/bin/env node
import { parseCommandLine } from "./cli/parse-command-line.ts";
import { usageErrorText } from "./cli/usage-error-text.ts";
import { runDemo } from "./demo/run-demo.ts";
import { runProxy, runServer } from "./proxy/run-service.ts";

process.exitCode = await main();

/** Runs the command line; resolves to the exit status. */
async function main(): Promise<number> {
  const command = readCommandLine();
  if (command === undefined) return 2;
  switch (command.kind) {
    case "help":
    case "version":
      process.stdout.write(command.text);
      return 0;
    case "run":
      return await runProxy(command.config);
    case "serve":
      return await runServer(command.config);
    case "demo":
      return await runDemo(command.logLevel);
  }
}

/** The command, or undefined after it was said what is wrong with it. */
function readCommandLine(): ReturnType<typeof parseCommandLine> | undefined {
  try {
    return parseCommandLine(process.argv.slice(2), process.env);
  } catch (error) {
    const text = usageErrorText(error);
    if (text === undefined) throw error;
    process.stderr.write(text);
    return undefined;
  }
}
