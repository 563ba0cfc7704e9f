import type { LogLevel } from "../config/log-level.ts";
import { LineLog } from "../observability/line-log.ts";
import { realSurroundings } from "../proxy/real-surroundings.ts";
import { copyThereAndBack } from "./copy-there-and-back.ts";
import { demoPlan, LEG_MS } from "./demo-plan.ts";
import { type DemoResult, resultText } from "./demo-result.ts";
import type { Display } from "./display.ts";
import { paintFor } from "./paint.ts";
import { PlainDisplay } from "./plain-display.ts";
import { Stage } from "./stage.ts";
import { TerminalDisplay } from "./terminal-display.ts";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"] as const;
/** Of a terminal that does not say how wide it is. */
const DEFAULT_COLUMNS = 80;

/**
 * The demo: copies data to a server and back through the proxy while the server is killed and started again. Resolves to
 * the exit status, 0, when every byte is right and the client's connection was never lost; ends the process with 1 if not.
 */
export async function runDemo(logLevel: LogLevel): Promise<number> {
  const { stdout, env } = process;
  const isTerminal = stdout.isTTY && env["TERM"] !== "dumb";
  const paint = paintFor(isTerminal, env);
  const display = displayFor(isTerminal, logLevel);
  const giveUp = new AbortController();
  onInterruption((why) => giveUp.abort(why));
  try {
    const result = await play(display, logLevel, giveUp);
    stdout.write(resultText(result, paint));
    return 0;
  } catch (error) {
    display.close();
    // What was given up fails in many places; the reason is what counts.
    const why: unknown = giveUp.signal.aborted ? giveUp.signal.reason : error;
    process.stderr.write(`flexnbd-proxy demo: ${why instanceof Error ? why.message : String(why)}\n`);
    // The proxy would wait for the server, which is gone, as long as it does for any other.
    // oxlint-disable-next-line unicorn/no-process-exit
    process.exit(1);
  }
}

/** Calls back at the first signal, or when nobody reads the output any more; a second signal ends the process. */
function onInterruption(interrupted: (why: Error) => void): void {
  const first = (signal: NodeJS.Signals): void => {
    for (const name of SIGNALS) {
      process.off(name, first);
      process.on(name, () => process.exit(1));
    }
    interrupted(new Error(`${signal}: given up; nothing was left behind`));
  };
  for (const name of SIGNALS) process.on(name, first);
  process.stdout.on("error", interrupted);
}

function displayFor(isTerminal: boolean, logLevel: LogLevel): Display {
  const { stdout, stderr } = process;
  const write = (text: string): boolean => stdout.write(text);
  const writeLog = (text: string): boolean => stderr.write(text);
  if (logLevel === "fatal") return new PlainDisplay(() => undefined, writeLog);
  if (!isTerminal) return new PlainDisplay(write, writeLog);
  const columns = (): number => stdout.columns || DEFAULT_COLUMNS;
  const paint = paintFor(isTerminal, process.env);
  return new TerminalDisplay({ write, writeLog, columns, paint }, () => performance.now());
}

/** Sets the stage, copies, and clears everything away. */
async function play(display: Display, logLevel: LogLevel, giveUp: AbortController): Promise<DemoResult> {
  const { signal } = giveUp;
  const isVerbose = logLevel === "info" || logLevel === "debug";
  const around = realSurroundings(logLevel);
  const log = (text: string): void => display.log(text);
  // Lost connections are what the demo is about: only those who ask see each of them logged.
  const lineLog = new LineLog({ clock: around.clock, level: isVerbose ? logLevel : "fatal", write: log });
  const stage = new Stage({
    around: { ...around, log: lineLog },
    program: process.argv.slice(1, 2),
    verbosity: isVerbose ? "--verbose" : "--quiet",
    log: isVerbose ? log : () => undefined,
    died: (error) => giveUp.abort(error),
  });
  try {
    const size = `${stage.sizeBytes / 1024 ** 2} MiB`;
    display.line(
      `${size} go through the proxy to a server that is killed again and again, and its write cache with it.`,
    );
    const client = await stage.open(signal);
    const copied = copyThereAndBack({
      plan: demoPlan(stage.sizeBytes),
      durationMs: LEG_MS,
      server: stage.server,
      diskPath: stage.diskPath,
      client,
      display,
      signal,
      failed: (error) => giveUp.abort(error),
    });
    const result = await Promise.race([copied, aborted(signal)]);
    display.close();
    await stage.finish();
    return result;
  } finally {
    await stage.close();
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    const rejectNow = (): void => reject(signal.reason as Error);
    if (signal.aborted) rejectNow();
    else signal.addEventListener("abort", rejectNow, { once: true });
  });
}
