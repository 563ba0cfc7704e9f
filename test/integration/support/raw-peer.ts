import net from "node:net";
import type { Socket } from "node:net";

import type { Endpoint } from "../../../src/ports/network.ts";
import { atEnd } from "./at-end.ts";

/**
 * One end of a connection, for tests that count bytes. It reads only what is taken: when nobody takes, the kernel's buffers
 * fill up and the other end can't send on.
 */
export class RawPeer {
  readonly socket: Socket;
  #wake: (() => void) | undefined;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.setNoDelay().on("error", () => undefined);
    socket.on("readable", () => this.#wake?.()).on("close", () => this.#wake?.());
    atEnd(() => void socket.destroy());
  }

  /** One on its way to an endpoint, from a local address if that matters. What goes wrong shows when bytes are taken. */
  static connect(endpoint: Endpoint, localAddress?: string): RawPeer {
    if (endpoint.kind === "unix") return new RawPeer(net.connect({ path: endpoint.path }));
    const { host, port } = endpoint;
    return new RawPeer(net.connect(localAddress === undefined ? { host, port } : { host, port, localAddress }));
  }

  /** Waits for exactly that many bytes; rejects when the connection ends before. */
  async take(count: number): Promise<Buffer> {
    for (;;) {
      const bytes = this.socket.read(count) as Buffer | null;
      if (bytes?.length === count) return bytes;
      // At the end it gives what is left, however little that is.
      if (bytes !== null || this.#over) throw new Error(`the connection ended before ${count} bytes had come`);
      await this.#change();
    }
  }

  /** Reads until the other end closes; gives everything that came. */
  async takeAll(): Promise<Buffer> {
    const chunks: Buffer[] = [];
    for (;;) {
      const bytes = this.socket.read() as Buffer | null;
      if (bytes !== null) chunks.push(bytes);
      else if (this.#over) return Buffer.concat(chunks);
      else await this.#change();
    }
  }

  get #over(): boolean {
    return this.socket.destroyed || this.socket.readableEnded;
  }

  #change(): Promise<void> {
    return new Promise((resolve) => (this.#wake = resolve));
  }
}
