import { once } from "node:events";
import net from "node:net";
import { join } from "node:path";
import type { Server, Socket } from "node:net";

import type { Endpoint } from "../../../src/ports/network.ts";
import { atEnd } from "./at-end.ts";
import { uriOf } from "./endpoints.ts";
import { connectTo } from "./plain-client.ts";
import { scratchFolder } from "./scratch-folder.ts";

/** A way to a server that counts what passes. */
export class CountingRelay {
  readonly endpoint: Endpoint;
  /** Bytes on the way to the server so far, */
  requestBytes = 0;
  /** and on the way from it. */
  replyBytes = 0;
  readonly #to: Endpoint;
  readonly #listener: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(endpoint: Endpoint, to: Endpoint) {
    this.endpoint = endpoint;
    this.#to = to;
    this.#listener = net.createServer({ allowHalfOpen: true }, (socket) => this.#pass(socket));
    atEnd(() => {
      for (const socket of this.#sockets) socket.destroy();
      this.#listener.close();
    });
  }

  /** Opens one, on a UNIX socket. */
  static async to(endpoint: Endpoint): Promise<CountingRelay> {
    const path = join(await scratchFolder(), "relay");
    const relay = new CountingRelay({ kind: "unix", path }, endpoint);
    relay.#listener.listen(path);
    await once(relay.#listener, "listening");
    return relay;
  }

  get uri(): string {
    return uriOf(this.endpoint);
  }

  /** Begins to count anew. */
  reset(): void {
    [this.requestBytes, this.replyBytes] = [0, 0];
  }

  #pass(client: Socket): void {
    client.on("error", () => undefined);
    const server = connectTo(this.#to);
    client.on("data", (bytes) => (this.requestBytes += bytes.length));
    server.on("data", (bytes) => (this.replyBytes += bytes.length));
    this.#copy(client, server);
    this.#copy(server, client);
  }

  #copy(from: Socket, to: Socket): void {
    this.#sockets.add(from);
    from.on("close", () => {
      this.#sockets.delete(from);
      to.destroy();
    });
    from.pipe(to);
  }
}
