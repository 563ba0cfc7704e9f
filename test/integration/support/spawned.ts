import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";

import type { Endpoint } from "../../../src/ports/network.ts";
import { atEnd } from "./at-end.ts";
import { isListening } from "./endpoints.ts";
import { until } from "./until.ts";

/** How a process ended: its exit status, or the signal that killed it. */
export interface Outcome {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A child process with its output collected. What still runs at the end of the test is killed, children and all. */
export class Spawned {
  readonly #child: ChildProcess;
  readonly #command: string;
  readonly #exited: Promise<Outcome>;
  #outcome: Outcome | undefined;
  #stdout = "";
  #stderr = "";

  constructor(program: string, args: readonly string[], environment: Readonly<Record<string, string>> = {}) {
    this.#command = [program, ...args].join(" ");
    // A process group of its own, so that a signal reaches the children that a server forks.
    this.#child = spawn(program, args, {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, ...environment },
      detached: true,
    });
    this.#child.stdout?.setEncoding("utf8").on("data", (text: string) => (this.#stdout += text));
    this.#child.stderr?.setEncoding("utf8").on("data", (text: string) => (this.#stderr += text));
    this.#exited = new Promise((resolve, reject) => {
      this.#child.once("error", reject);
      this.#child.once("close", (status, signal) => resolve((this.#outcome = { status, signal })));
    });
    // The one who waits hears of it; nobody may be waiting.
    this.#exited.catch(() => undefined);
    const killNow = (): void => this.signal("SIGKILL");
    process.once("exit", killNow);
    this.#exited.finally(() => process.off("exit", killNow)).catch(() => undefined);
    atEnd(async () => {
      killNow();
      await this.exited().catch(() => undefined);
    });
  }

  get stdout(): string {
    return this.#stdout;
  }

  get stderr(): string {
    return this.#stderr;
  }

  /** How it ended, or undefined while it runs. */
  get outcome(): Outcome | undefined {
    return this.#outcome;
  }

  get pid(): number {
    if (this.#child.pid === undefined) throw new Error(`could not be started: ${this.#command}`);
    return this.#child.pid;
  }

  /** Waits for its end and the end of its output; rejects when it could not be started. */
  exited(): Promise<Outcome> {
    return this.#exited;
  }

  /** Sends a signal to it and its children; nothing happens when it has ended. */
  signal(signal: NodeJS.Signals): void {
    if (this.#child.pid !== undefined && this.#outcome === undefined) signalGroup(this.#child.pid, signal);
  }

  /** Sends a signal and waits for the end. */
  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<Outcome> {
    this.signal(signal);
    await this.until(`to end after ${signal}`, () => this.#outcome !== undefined, true);
    return this.exited();
  }

  /** Waits until a listener stands at `endpoint`. */
  async untilListening(endpoint: Endpoint): Promise<void> {
    await this.until(`to listen on ${JSON.stringify(endpoint)}`, () => isListening(endpoint));
  }

  /** Waits for text on stderr that matches. */
  async untilStderr(pattern: RegExp): Promise<RegExpExecArray> {
    return this.until(`to say ${String(pattern)}`, () => pattern.exec(this.#stderr) ?? undefined);
  }

  /** Waits for a condition; throws with the collected output when it takes too long or the process ends before. */
  async until<Answer>(
    what: string,
    condition: () => Answer | undefined | false | Promise<Answer | undefined | false>,
    mayEnd = false,
  ): Promise<Answer> {
    try {
      return await until(what, async () => {
        const outcome = this.#outcome;
        const answer = await condition();
        const isOpen = answer === undefined || answer === false;
        if (isOpen && outcome !== undefined && !mayEnd) throw new Error(`it ended: ${JSON.stringify(outcome)}`);
        return answer;
      });
    } catch (error) {
      const output = `stdout:\n${this.#stdout}\nstderr:\n${this.#stderr}`;
      throw new Error(`expected "${this.#command}" ${what}\n${output}`, { cause: error });
    }
  }
}

/** Sends a signal to a process group, if it is still there. */
export function signalGroup(groupId: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-groupId, signal);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}
