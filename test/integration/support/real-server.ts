import { rm } from "node:fs/promises";

import type { Endpoint } from "../../../src/ports/network.ts";
import { uriOf } from "./endpoints.ts";
import { Spawned } from "./spawned.ts";

/** A real NBD server that may be stopped and started again, always at the same endpoint and with the same export. */
export interface RealServer {
  readonly endpoint: Endpoint;
  /** The NBD URI of its export. */
  readonly uri: string;
  /** Starts it and waits until it listens. */
  start(): Promise<void>;
  /** Sends a signal to all its processes and waits until they have ended; SIGKILL is a crash. */
  stop(signal?: NodeJS.Signals): Promise<void>;
  /** Sends a signal to all its processes, such as SIGSTOP and SIGCONT. */
  signal(signal: NodeJS.Signals): void;
}

/** A server that stays in the foreground. */
export class ForegroundServer implements RealServer {
  readonly endpoint: Endpoint;
  readonly uri: string;
  readonly #program: string;
  readonly #args: readonly string[];
  #process: Spawned | undefined;

  constructor(program: string, args: readonly string[], endpoint: Endpoint, exportName: string) {
    this.#program = program;
    this.#args = args;
    this.endpoint = endpoint;
    this.uri = uriOf(endpoint, exportName);
  }

  async start(): Promise<void> {
    await removeSocket(this.endpoint);
    this.#process = new Spawned(this.#program, this.#args);
    await this.#process.untilListening(this.endpoint);
  }

  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
    await this.#process?.stop(signal);
  }

  signal(signal: NodeJS.Signals): void {
    this.#process?.signal(signal);
  }
}

/** Removes what a killed server left at the path of its UNIX socket: the next one could not bind there. */
export async function removeSocket(endpoint: Endpoint): Promise<void> {
  if (endpoint.kind === "unix") await rm(endpoint.path, { force: true });
}
