import assert from "node:assert";
import { once } from "node:events";
import { createServer } from "node:net";
import type { Server, Socket } from "node:net";

import type { Endpoint } from "../../../src/ports/network.ts";
import * as wire from "../../simulation/wire.ts";
import { atEnd } from "./at-end.ts";
import { Incoming } from "./incoming.ts";

/** A connection to a FakeServer, for a script to misbehave on. */
export interface FakeConnection {
  readonly socket: Socket;
  /** From 1. */
  readonly number: number;
}

/** How a FakeServer answers where it is not to be an ordinary one. What returns true has answered itself. */
export interface FakeBehaviour {
  /** Instead of the greeting. */
  readonly greet?: (connection: FakeConnection) => boolean | Promise<boolean>;
  /** Instead of the answer to a request. */
  readonly answer?: (connection: FakeConnection, request: wire.WireRequest) => boolean;
}

/** The byte that a FakeServer's disk has everywhere. */
export const FAKE_BYTE = 0x5a;
export const FAKE_SIZE = 1024 * 1024;

/** A small NBD server with one read-write disk, on which every READ gives the same bytes and nothing is kept. */
export class FakeServer {
  readonly endpoint: Endpoint;
  /** The commands of all requests, in the order in which they came. */
  readonly commands: number[] = [];
  /** Where its clients connected from. */
  readonly peers: string[] = [];
  readonly #behaviour: FakeBehaviour;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(endpoint: Endpoint, behaviour: FakeBehaviour) {
    this.endpoint = endpoint;
    this.#behaviour = behaviour;
    this.#server = createServer((socket) => this.#accept(socket));
  }

  /** Starts one; it is stopped at the end. */
  static async start(endpoint: Endpoint, behaviour: FakeBehaviour = {}): Promise<FakeServer> {
    const server = new FakeServer(endpoint, behaviour);
    const listening = once(server.#server, "listening");
    server.#server.listen(
      endpoint.kind === "unix" ? { path: endpoint.path } : { host: endpoint.host, port: endpoint.port },
    );
    await listening;
    atEnd(() => server.stop());
    return server;
  }

  /** How many connections were made to it. */
  get connections(): number {
    return this.peers.length;
  }

  /** Stops listening and drops every connection. */
  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    if (!this.#server.listening) return;
    this.#server.close();
    await once(this.#server, "close");
  }

  #accept(socket: Socket): void {
    this.#sockets.add(socket);
    this.peers.push(socket.remoteAddress ?? "");
    const connection = { socket, number: this.peers.length };
    socket.setNoDelay().on("error", () => undefined);
    socket.on("close", () => this.#sockets.delete(socket));
    // A client that is gone is no failure of a server.
    this.#serve(connection, new Incoming(socket)).catch(() => socket.destroy());
  }

  async #serve(connection: FakeConnection, incoming: Incoming): Promise<void> {
    const { socket } = connection;
    const { greet, answer } = this.#behaviour;
    if ((await greet?.(connection)) === true) return;
    socket.write(wire.greeting(true));
    await incoming.take(4);
    await this.#negotiate(socket, incoming);
    for (;;) {
      const header = await incoming.take(28);
      assert.equal(header.readUInt32BE(0), wire.REQUEST_MAGIC);
      const request = wire.parseRequest(header);
      if (request.command === wire.WRITE) await incoming.take(request.length);
      this.commands.push(request.command);
      if (request.command === wire.DISC) socket.end();
      if (request.command === wire.DISC || answer?.(connection, request) === true) continue;
      const data = request.command === wire.READ ? Buffer.alloc(request.length, FAKE_BYTE) : Buffer.alloc(0);
      socket.write(Buffer.concat([wire.simpleReply(0, request.cookie), data]));
    }
  }

  /** Lets anybody in who says GO, whatever the export's name. */
  async #negotiate(socket: Socket, incoming: Incoming): Promise<void> {
    for (;;) {
      const header = await incoming.take(16);
      assert(wire.isOption(header));
      const number = header.readUInt32BE(8);
      await incoming.take(header.readUInt32BE(12));
      if (number !== wire.GO) {
        socket.write(wire.optionReply(number, wire.ERR_UNSUP));
        continue;
      }
      const { FLUSH, FUA, TRIM, ZEROES } = wire.OFFERS;
      const information = wire.infoExport(FAKE_SIZE, 1 | FLUSH | FUA | TRIM | ZEROES);
      socket.write(wire.optionReply(number, wire.REP_INFO, information));
      socket.write(wire.optionReply(number, wire.ACK));
      return;
    }
  }
}
