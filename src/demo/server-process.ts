import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";

/** How a ServerProcess is run. */
export interface ServerProcessOptions {
  /** The arguments of Node: the program and its own arguments. */
  readonly args: readonly string[];
  /** The UNIX socket that it makes when it is ready. */
  readonly socketPath: string;
  /** Gets what it logs. */
  readonly log: (text: string) => void;
  /** It ended though nobody killed it. */
  readonly died: (error: Error) => void;
}

const POLL_MS = 10;
/** A signal for the whole group, as from a terminal, may end the server before it has reached us; it does so soon. */
const OWN_SIGNAL_MS = 200;
/** Of what a server says, so much is kept to tell why it ended. */
const LAST_WORDS_LENGTH = 2048;

/** The embedded server in a process of its own, which can really be killed, and started again at the same socket. */
export class ServerProcess {
  readonly #options: ServerProcessOptions;
  #child: ChildProcess | undefined;

  constructor(options: ServerProcessOptions) {
    this.#options = options;
  }

  /** Starts it and resolves when it listens; rejects when it is given up meanwhile. */
  async start(signal: AbortSignal): Promise<void> {
    const { socketPath } = this.#options;
    // What a killed server left there would look like a server that is ready.
    await rm(socketPath, { force: true });
    signal.throwIfAborted();
    this.#child = this.#spawn();
    while (!existsSync(socketPath)) await delay(POLL_MS, undefined, { signal });
  }

  /** SIGKILL. Resolves when it is gone. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    const exited = child.exitCode === null && child.signalCode === null ? once(child, "exit") : undefined;
    this.killNow();
    await exited;
  }

  /** SIGKILL, without waiting for the end. */
  killNow(): void {
    this.#child?.kill("SIGKILL");
    this.#child = undefined;
  }

  #spawn(): ChildProcess {
    const { args, log, died } = this.#options;
    const child = spawn(process.execPath, args, { stdio: ["ignore", "ignore", "pipe"], env: environment() });
    let lastWords = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      lastWords = (lastWords + text).slice(-LAST_WORDS_LENGTH);
      log(text);
    });
    const ended = (how: string): void => {
      if (this.#child !== child) return;
      this.#child = undefined;
      died(new Error(`the server ended by itself, ${how}${lastWords === "" ? "" : `: ${lastWords.trim()}`}`));
    };
    child.once("error", (error) => ended(error.message));
    child.once("close", (status, signal) => {
      if (signal === null) ended(`exit status ${status}`);
      else setTimeout(() => ended(signal), OWN_SIGNAL_MS);
    });
    return child;
  }
}

/** The environment without the options of this program, which are meant for the user's own proxy. */
function environment(): NodeJS.ProcessEnv {
  const isOurs = (name: string): boolean => name.startsWith("FLEXNBD_") && name !== "FLEXNBD_DEBUG";
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !isOurs(name)));
}
