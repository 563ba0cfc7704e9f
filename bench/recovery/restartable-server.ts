import type { Contender } from "../contender.ts";
import { freePort, untilListening } from "../listening-port.ts";
import { memoryServerArguments } from "../memory-server.ts";
import type { ProcessGroup, ProcessGroups } from "../process-groups.ts";

/** How often the kernel is asked whether the server listens again: this is how exactly the moment is known. */
const POLL_MS = 1;
/** A disk that is only read, whose content goes with the server. */
const SIZE_MIB = 64;

/** A server that dies and comes back on the same port. */
export class RestartableServer {
  readonly port: number;
  readonly sizeBytes = SIZE_MIB * 1024 * 1024;
  readonly #groups: ProcessGroups;
  readonly #handshake: Contender["handshake"];
  #group: ProcessGroup | undefined;

  private constructor(groups: ProcessGroups, port: number, handshake: Contender["handshake"]) {
    this.#groups = groups;
    this.port = port;
    this.#handshake = handshake;
  }

  /** Starts one on a port that the kernel chose. */
  static async start(groups: ProcessGroups, handshake: Contender["handshake"]): Promise<RestartableServer> {
    const server = new RestartableServer(groups, await freePort(), handshake);
    await server.startAgain();
    return server;
  }

  /** Starts it; resolves to the moment when it listened, in the time of `performance.now()`. */
  startAgain(): Promise<number> {
    this.#group = this.#groups.start("nbdkit", memoryServerArguments(this.port, this.#handshake, SIZE_MIB));
    // Asking the kernel disturbs nobody, where a connection to look would be a client.
    return untilListening(this.port, this.#group, POLL_MS);
  }

  /** Kills it and waits until it is gone. */
  async kill(): Promise<void> {
    await this.#group?.end();
  }
}
