import { LIMITS } from "../limits.ts";
import type { ByteStream, Endpoint, Listening, Network } from "../ports/network.ts";
import { ClientSession } from "./client-session.ts";
import type { SessionSurroundings } from "./session-surroundings.ts";
import { WaitingClient } from "./waiting-client.ts";

/** What a Listener serves, where, and to how many. */
export interface ListenerOptions extends SessionSurroundings {
  readonly network: Network;
  readonly endpoint: Endpoint;
  readonly socketMode: number;
  /** Whether a client from this IP address is let in; undefined stands for a UNIX socket. */
  readonly admits: (address: string | undefined) => boolean;
  /** Clients that are served at once; the next ones wait for their turn. */
  readonly maxClients: number;
}

/** Accepts clients, serves as many as allowed, and lets the others wait without a hello, in the order in which they came. */
export class Listener {
  readonly #options: ListenerOptions;
  readonly #sessions = new Set<ClientSession>();
  readonly #waiting = new Set<WaitingClient>();
  #listening: Listening | undefined;
  #draining = false;
  #idle: (() => void) | undefined;

  constructor(options: ListenerOptions) {
    this.#options = options;
  }

  /** Opens the socket; resolves to where it really listens. Rejects with the system's error. */
  async open(): Promise<Endpoint> {
    const { network, endpoint, socketMode } = this.#options;
    this.#listening = await network.listen({ endpoint, socketMode }, (stream) => this.#accept(stream));
    return this.#listening.endpoint;
  }

  /** Clients that are being served. */
  get clients(): number {
    return this.#sessions.size;
  }

  /** Clients that wait for their turn. */
  get waitingClients(): number {
    return this.#waiting.size;
  }

  /**
   * Accepts nobody any more and lets every client go when what it sent is answered. Resolves when all have left; `abort`
   * hurries.
   */
  async drain(): Promise<void> {
    this.#draining = true;
    const closing = this.#listening?.close();
    for (const client of this.#waiting) client.stream.destroy();
    this.#waiting.clear();
    const idle = new Promise<void>((resolve) => (this.#idle = resolve));
    for (const session of this.#sessions) session.drain();
    if (this.#sessions.size === 0) this.#idle?.();
    await Promise.all([closing, idle]);
  }

  /** Lets every client go at once. */
  abort(): void {
    for (const session of this.#sessions) session.abort();
  }

  #accept(stream: ByteStream): void {
    if (this.#draining) stream.destroy();
    else if (!this.#options.admits(stream.peerAddress)) {
      this.#options.log.warning(`client ${stream.peer}: not allowed from there; hanging up`);
      stream.destroy();
    } else if (this.#sessions.size < this.#options.maxClients) this.#serve(stream, Buffer.alloc(0));
    else if (this.#waiting.size < LIMITS.waitingClients) this.#letWait(stream);
    else {
      this.#options.log.warning(
        `client ${stream.peer}: ${LIMITS.waitingClients} others are waiting already; hanging up`,
      );
      stream.destroy();
    }
  }

  #letWait(stream: ByteStream): void {
    this.#options.log.info(`client ${stream.peer}: waits for its turn`);
    const client = new WaitingClient(stream, (gone) => this.#waiting.delete(gone));
    this.#waiting.add(client);
    stream.start(client);
  }

  #serve(stream: ByteStream, early: Buffer): void {
    const session = new ClientSession(stream, this.#options, () => {
      this.#sessions.delete(session);
      this.#serveNext();
      if (this.#draining && this.#sessions.size === 0) this.#idle?.();
    });
    this.#sessions.add(session);
    session.begin(early);
  }

  #serveNext(): void {
    if (this.#draining) return;
    for (const client of this.#waiting) {
      if (this.#sessions.size >= this.#options.maxClients) return;
      this.#waiting.delete(client);
      this.#serve(client.stream, client.early);
    }
  }
}
