import assert from "node:assert";
import { once } from "node:events";
import net from "node:net";
import type { Socket } from "node:net";

import type { Endpoint } from "../../../src/ports/network.ts";
import * as wire from "../../simulation/wire.ts";
import { atEnd } from "./at-end.ts";
import { Incoming } from "./incoming.ts";

/** What a request asks for; flags, offset and payload are none where absent. */
export interface Wanted {
  readonly command: number;
  readonly offset?: number;
  readonly length?: number;
  readonly flags?: number;
  readonly payload?: Buffer;
}

/** What was answered; `data` is empty for all but a READ. */
export interface Answer {
  readonly error: number;
  readonly data: Buffer;
}

/** The server did not let the client into the export. */
export class NotLetIn extends Error {
  override readonly name = "NotLetIn";
  /** The type of the reply to GO. */
  readonly reply: number;

  constructor(reply: number) {
    super(`GO was answered with 0x${reply.toString(16)}`);
    this.reply = reply;
  }
}

/** An NBD client in the plainest terms, with many requests in flight. A lost connection rejects what waits. */
export class PlainClient {
  readonly socket: Socket;
  readonly #incoming: Incoming;
  readonly #waiting = new Map<
    bigint,
    { dataBytes: number; resolve: (answer: Answer) => void; reject: (why: Error) => void }
  >();
  #cookie = 0n;
  sizeBytes = 0;
  flags = 0;

  private constructor(socket: Socket) {
    this.socket = socket;
    atEnd(() => void socket.destroy());
    this.#incoming = new Incoming(socket);
  }

  /** Connects and waits to be let into an export, however long that takes. */
  static async connect(endpoint: Endpoint, exportName = ""): Promise<PlainClient> {
    const client = new PlainClient(connectTo(endpoint));
    try {
      await client.#negotiate(exportName);
    } catch (error) {
      client.socket.destroy();
      throw error;
    }
    client.#receive().catch((error: unknown) => client.#fail(error));
    return client;
  }

  request({
    command,
    flags = 0,
    offset = 0,
    payload = Buffer.alloc(0),
    length = payload.length,
  }: Wanted): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const cookie = this.#cookie++;
      this.#waiting.set(cookie, { dataBytes: command === wire.READ ? length : 0, resolve, reject });
      this.socket.write(Buffer.concat([wire.requestHeader({ command, flags, cookie, offset, length }), payload]));
    });
  }

  /** Reads; throws when the answer is an error. */
  async read(offset: number, length: number): Promise<Buffer> {
    const { error, data } = await this.request({ command: wire.READ, offset, length });
    assert.equal(error, 0, "READ was answered with an error");
    return data;
  }

  /** Writes; throws when the answer is an error. */
  async write(offset: number, payload: Buffer): Promise<void> {
    const { error } = await this.request({ command: wire.WRITE, offset, payload });
    assert.equal(error, 0, "WRITE was answered with an error");
  }

  /** Leaves the polite way. */
  async disconnect(): Promise<void> {
    const cookie = this.#cookie++;
    this.socket.end(wire.requestHeader({ command: wire.DISC, flags: 0, cookie, offset: 0, length: 0 }));
    await this.closed();
  }

  /** Waits until the connection is no more. */
  async closed(): Promise<void> {
    if (!this.socket.closed) await once(this.socket, "close");
  }

  async #negotiate(exportName: string): Promise<void> {
    const greeting = await this.#incoming.take(18);
    assert.equal(greeting.toString("latin1", 0, 16), "NBDMAGICIHAVEOPT");
    this.socket.write(Buffer.concat([wire.u32(3), wire.option(wire.GO, wire.exportQuery(exportName, []))]));
    for (;;) {
      const header = await this.#incoming.take(20);
      assert(wire.isOptionReply(header));
      const type = header.readUInt32BE(12);
      const data = await this.#incoming.take(header.readUInt32BE(16));
      if (type === wire.ACK) return;
      if (type !== wire.REP_INFO) throw new NotLetIn(type);
      if (data.readUInt16BE(0) !== 0) continue;
      this.sizeBytes = Number(data.readBigUInt64BE(2));
      this.flags = data.readUInt16BE(10);
    }
  }

  async #receive(): Promise<never> {
    for (;;) {
      const header = await this.#incoming.take(16);
      assert.equal(header.readUInt32BE(0), wire.REPLY_MAGIC);
      const error = header.readUInt32BE(4);
      const cookie = header.readBigUInt64BE(8);
      const waiting = this.#waiting.get(cookie);
      assert(waiting !== undefined, "a reply to nothing");
      const data = await this.#incoming.take(error === 0 ? waiting.dataBytes : 0);
      this.#waiting.delete(cookie);
      waiting.resolve({ error, data });
    }
  }

  #fail(error: unknown): void {
    this.socket.destroy();
    const why = new Error("the client's connection is over", { cause: error });
    for (const { reject } of this.#waiting.values()) reject(why);
    this.#waiting.clear();
  }
}

/** A socket on its way to an endpoint. What goes wrong with it shows in its 'close'. */
export function connectTo(endpoint: Endpoint): Socket {
  const socket = net.connect(
    endpoint.kind === "unix" ? { path: endpoint.path } : { host: endpoint.host, port: endpoint.port },
  );
  return socket.setNoDelay().on("error", () => undefined);
}
