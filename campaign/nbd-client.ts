import assert from "node:assert";
import { connect } from "node:net";
import type { NetConnectOpts, Socket } from "node:net";

import { Incoming } from "../test/integration/support/incoming.ts";
import * as wire from "../test/simulation/wire.ts";

/** What is asked of the server. */
export interface NbdRequest {
  readonly command: number;
  readonly flags: number;
  readonly offset: number;
  readonly length: number;
  readonly payload?: Buffer;
}

/** What was answered; `data` is empty for all but a READ that succeeded. */
export interface NbdAnswer {
  readonly error: number;
  readonly data: Buffer;
}

/** Who takes requests, any number at a time. */
export interface Requester {
  request(request: NbdRequest): Promise<NbdAnswer>;
}

interface Waiting {
  readonly dataBytes: number;
  readonly resolve: (answer: NbdAnswer) => void;
  readonly reject: (error: Error) => void;
}

/** A client with many requests in flight. A lost connection rejects all of them. */
export class NbdClient implements Requester {
  readonly #socket: Socket;
  readonly #incoming: Incoming;
  readonly #waiting = new Map<bigint, Waiting>();
  #cookie = 0n;
  #failure: Error | undefined;
  #sizeBytes = 0;
  #flags = 0;

  private constructor(address: NetConnectOpts) {
    this.#socket = connect({ ...address, noDelay: true }).on("error", () => undefined);
    this.#incoming = new Incoming(this.#socket);
  }

  /** Connects and waits to be let into an export. */
  static async connect(address: NetConnectOpts, exportName: string): Promise<NbdClient> {
    const client = new NbdClient(address);
    try {
      await client.#negotiate(exportName);
    } catch (error) {
      client.close();
      throw error;
    }
    client.#receive().catch((error: unknown) => client.#fail(error));
    return client;
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** The transmission flags: what the export offers. */
  get flags(): number {
    return this.#flags;
  }

  request({ command, flags, offset, length, payload }: NbdRequest): Promise<NbdAnswer> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined) {
        reject(this.#failure);
        return;
      }
      const cookie = this.#cookie++;
      this.#waiting.set(cookie, { dataBytes: command === wire.READ ? length : 0, resolve, reject });
      this.#socket.cork();
      this.#socket.write(wire.requestHeader({ command, flags, cookie, offset, length }));
      if (payload !== undefined) this.#socket.write(payload);
      this.#socket.uncork();
    });
  }

  /** Ends the connection at once. */
  close(): void {
    this.#socket.destroy();
  }

  async #negotiate(exportName: string): Promise<void> {
    const greeting = await this.#incoming.take(18);
    assert.equal(greeting.toString("latin1", 0, 16), "NBDMAGICIHAVEOPT");
    this.#socket.write(Buffer.concat([wire.u32(3), wire.option(wire.GO, wire.exportQuery(exportName, []))]));
    for (;;) {
      const header = await this.#incoming.take(20);
      assert(wire.isOptionReply(header), "not the reply to an option");
      const type = header.readUInt32BE(12);
      const data = await this.#incoming.take(header.readUInt32BE(16));
      if (type === wire.ACK) return;
      if (type !== wire.REP_INFO) throw new Error(`GO was answered with 0x${type.toString(16)}`);
      if (data.readUInt16BE(0) !== 0) continue;
      this.#sizeBytes = Number(data.readBigUInt64BE(2));
      this.#flags = data.readUInt16BE(10);
    }
  }

  async #receive(): Promise<never> {
    for (;;) {
      const header = await this.#incoming.take(16);
      assert.equal(header.readUInt32BE(0), wire.REPLY_MAGIC, "not a reply");
      const error = header.readUInt32BE(4);
      const cookie = header.readBigUInt64BE(8);
      const waiting = this.#waiting.get(cookie);
      assert(waiting !== undefined, "a reply to nothing");
      const data = await this.#incoming.take(error === 0 ? waiting.dataBytes : 0);
      this.#waiting.delete(cookie);
      waiting.resolve({ error, data });
    }
  }

  #fail(cause: unknown): void {
    this.#socket.destroy();
    this.#failure = new Error(`a client's connection ended: ${String(cause)}`, { cause });
    for (const { reject } of this.#waiting.values()) reject(this.#failure);
    this.#waiting.clear();
  }
}
