import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";

const STDERR_KEPT_CHARACTERS = 4096;

/** How a process ended: its exit status or a signal, or why it never ran. */
export type Outcome =
  | { readonly status: number | null; readonly signal: NodeJS.Signals | null }
  | { readonly error: Error };

/** All processes that a run of the bench has started, each with the children that it forks. */
export class ProcessGroups {
  readonly #living = new Set<ProcessGroup>();

  /** Starts a program in a process group of its own. */
  start(program: string, args: readonly string[]): ProcessGroup {
    const group = new ProcessGroup(program, args, () => this.#living.delete(group));
    this.#living.add(group);
    return group;
  }

  /** Kills everything that still runs, without waiting. */
  kill(): void {
    for (const group of this.#living) group.kill();
  }

  /** Kills everything that still runs and waits for the end. */
  async end(): Promise<void> {
    await Promise.all([...this.#living].map((group) => group.end()));
  }
}

/** A program that runs, with its output collected. */
export class ProcessGroup {
  /** Fulfilled when it has ended and all its output was read. */
  readonly ended: Promise<Outcome>;
  readonly #child: ChildProcess;
  #outcome: Outcome | undefined;
  #stdout = "";
  #stderr = "";

  constructor(program: string, args: readonly string[], onEnd: () => void) {
    // Its own group: a signal reaches what it forks, and Ctrl-C on the terminal reaches nobody but the bench.
    this.#child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"], detached: true, env: environment() });
    this.#child.stdout?.setEncoding("utf8").on("data", (text: string) => (this.#stdout += text));
    this.#child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-STDERR_KEPT_CHARACTERS);
    });
    this.ended = new Promise((resolve) => {
      const end = (outcome: Outcome): void => {
        this.#outcome ??= outcome;
        onEnd();
        resolve(this.#outcome);
      };
      this.#child.once("error", (error) => end({ error }));
      this.#child.once("close", (status, signal) => end({ status, signal }));
    });
  }

  /** The process group's number, which is that of its first process. */
  get id(): number {
    if (this.#child.pid === undefined) throw new Error("it could not be started");
    return this.#child.pid;
  }

  /** How it ended, or undefined while it runs. */
  get outcome(): Outcome | undefined {
    return this.#outcome;
  }

  get stdout(): string {
    return this.#stdout;
  }

  /** The last of what it wrote to stderr. */
  get stderr(): string {
    return this.#stderr;
  }

  /** Kills all its processes, without waiting. */
  kill(): void {
    if (this.#child.pid === undefined || this.#outcome !== undefined) return;
    try {
      process.kill(-this.#child.pid, "SIGKILL");
    } catch {
      // It ended by itself just now.
    }
  }

  /** Kills all its processes and waits for the end. */
  async end(): Promise<void> {
    this.kill();
    await this.ended;
  }
}

/** Without the variables that are options of the proxy: a run must not depend on what a shell happens to export. */
function environment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("FLEXNBD_")));
}
