import assert from "node:assert";
import { once } from "node:events";
import net from "node:net";
import type { Server, Socket } from "node:net";

import { atEnd } from "./at-end.ts";

/** A way to a TCP server, by its NBD URI, that can be cut like a cable: what has passed it stays with the server. */
export class Detour {
  readonly #listener: Server;
  readonly #server: URL;
  readonly #sockets = new Set<Socket>();

  private constructor(server: URL) {
    this.#server = server;
    this.#listener = net.createServer({ allowHalfOpen: true }, (socket) => this.#pass(socket));
    atEnd(() => {
      this.cut();
      this.#listener.close();
    });
  }

  /** Opens one, on a port that the kernel chooses. */
  static async to(uri: string): Promise<Detour> {
    const detour = new Detour(new URL(uri));
    detour.#listener.listen(0, "127.0.0.1");
    await once(detour.#listener, "listening");
    return detour;
  }

  /** The URI of the same export on this way. */
  get uri(): string {
    const address = this.#listener.address();
    assert(address !== null && typeof address === "object");
    const uri = new URL(this.#server);
    uri.port = String(address.port);
    return uri.href;
  }

  /** Resets every connection at both ends; new ones are passed on. */
  cut(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  #pass(from: Socket): void {
    const to = net.connect({ port: Number(this.#server.port), host: this.#server.hostname, allowHalfOpen: true });
    for (const [one, other] of [
      [from, to],
      [to, from],
    ] as const) {
      this.#sockets.add(one);
      // What goes wrong with a connection shows in its 'close'.
      one.setNoDelay().on("error", () => undefined);
      one.on("data", (chunk) => other.write(chunk));
      one.on("end", () => other.end());
      one.on("close", () => {
        this.#sockets.delete(one);
        other.destroy();
      });
    }
  }
}
