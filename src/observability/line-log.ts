import { threadId } from "node:worker_threads";

import type { Clock } from "../ports/clock.ts";
import type { Log } from "../ports/log.ts";
import { oneLine } from "./one-line.ts";
import { sourceLocation } from "./source-location.ts";

/** How bad a message is; each has its letter in the log line and its place in the order. */
const SEVERITY = {
  debug: { rank: 0, letter: "D" },
  info: { rank: 1, letter: "I" },
  warning: { rank: 2, letter: "W" },
  error: { rank: 3, letter: "E" },
  fatal: { rank: 4, letter: "F" },
} as const;

type Severity = keyof typeof SEVERITY;

/**
 * A log of lines `<TIMESTAMP>:<LEVEL>:<PID> <THREAD> <SOURCEFILE>:<SOURCELINE>: <MSG>`, the timestamp in monotonic
 * milliseconds, the source that of the TypeScript code that called. Messages below `level` cost a comparison.
 */
export class LineLog implements Log {
  readonly #clock: Clock;
  readonly #lowestRank: number;
  readonly #write: (line: string) => void;
  readonly #process = `${process.pid} ${threadId}`;

  constructor(options: { readonly clock: Clock; readonly level: Severity; readonly write: (line: string) => void }) {
    this.#clock = options.clock;
    this.#lowestRank = SEVERITY[options.level].rank;
    this.#write = options.write;
  }

  debug(message: string): void {
    if (SEVERITY.debug.rank >= this.#lowestRank) this.#line("debug", message);
  }

  info(message: string): void {
    if (SEVERITY.info.rank >= this.#lowestRank) this.#line("info", message);
  }

  warning(message: string): void {
    if (SEVERITY.warning.rank >= this.#lowestRank) this.#line("warning", message);
  }

  error(message: string): void {
    if (SEVERITY.error.rank >= this.#lowestRank) this.#line("error", message);
  }

  /** Says why the program ends; passes at every level. */
  fatal(message: string): void {
    this.#line("fatal", message);
  }

  #line(severity: Severity, message: string): void {
    const timestamp = Math.floor(this.#clock.nowMs());
    const source = sourceLocation(callerFrame());
    this.#write(`${timestamp}:${SEVERITY[severity].letter}:${this.#process} ${source}: ${oneLine(message)}\n`);
  }
}

/** Of a stack captured in `callerFrame`: itself, `#line`, the method for a severity, and who called that. */
const FRAMES_TO_CALLER = 4;

/** The stack frame of who called the log, as text. */
function callerFrame(): string {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = FRAMES_TO_CALLER;
  const holder = { stack: "" };
  Error.captureStackTrace(holder);
  Error.stackTraceLimit = stackTraceLimit;
  return holder.stack.split("\n").at(-1) ?? "";
}
