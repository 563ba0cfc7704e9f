import { freePort, untilListening } from "../listening-port.ts";
import type { ProcessGroup, ProcessGroups } from "../process-groups.ts";

/** How often the kernel is asked whether the server listens again: this is how exactly the moment is known. */
const POLL_MS = 1;

/** The arguments of an nbdkit that listens on this port of 127.0.0.1. */
export type ServerArguments = (port: number) => readonly string[];

/** An nbdkit that dies and comes back on the same port. */
export class RestartableServer {
  readonly port: number;
  readonly #groups: ProcessGroups;
  #group: ProcessGroup | undefined;

  private constructor(groups: ProcessGroups, port: number) {
    this.#groups = groups;
    this.port = port;
  }

  /** Starts one on a port that the kernel chose. */
  static async start(groups: ProcessGroups, serverArguments: ServerArguments): Promise<RestartableServer> {
    const server = new RestartableServer(groups, await freePort());
    await server.startAgain(serverArguments);
    return server;
  }

  /** Starts it; resolves to the moment when it listened, in the time of `performance.now()`. */
  startAgain(serverArguments: ServerArguments): Promise<number> {
    this.#group = this.#groups.start("nbdkit", serverArguments(this.port));
    // Asking the kernel disturbs nobody, where a connection to look would be a client.
    return untilListening(this.port, this.#group, POLL_MS);
  }

  /** Kills it and waits until it is gone. */
  async kill(): Promise<void> {
    await this.#group?.end();
  }
}
