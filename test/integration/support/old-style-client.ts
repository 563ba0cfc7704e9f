import assert from "node:assert";
import { once } from "node:events";

import type { Endpoint } from "../../../src/ports/network.ts";
import * as wire from "../../simulation/wire.ts";
import { RawPeer } from "./raw-peer.ts";

const HELLO_BYTES = 152;
const REPLY_BYTES = 16;

/** What a request of an old-style client asks for. */
export interface OldRequest {
  readonly command: number;
  readonly offset?: number;
  readonly length?: number;
  readonly flags?: number;
  readonly payload?: Buffer;
}

/** A client that knows nothing but the old style: it takes the hello, then asks for one thing after the other. */
export class OldStyleClient {
  readonly peer: RawPeer;
  /** The 152 bytes that it was greeted with. */
  readonly hello: Buffer;
  #cookie = 0x0102030405060708n;

  private constructor(peer: RawPeer, hello: Buffer) {
    this.peer = peer;
    this.hello = hello;
  }

  /** Connects and waits for the hello, however long that takes. */
  static async connect(endpoint: Endpoint): Promise<OldStyleClient> {
    const peer = RawPeer.connect(endpoint);
    return new OldStyleClient(peer, await peer.take(HELLO_BYTES));
  }

  /** Sends a request and waits for the whole reply: the error, and the data of a READ that has none. */
  async request({ command, flags = 0, offset = 0, payload, length }: OldRequest): Promise<Buffer> {
    const cookie = this.#cookie++;
    const bytes = length ?? payload?.length ?? 0;
    this.peer.socket.write(wire.requestHeader({ command, flags, cookie, offset, length: bytes }));
    if (payload !== undefined) this.peer.socket.write(payload);
    const header = await this.peer.take(REPLY_BYTES);
    assert.equal(header.readUInt32BE(0), wire.REPLY_MAGIC);
    assert.equal(header.readBigUInt64BE(8), cookie);
    const error = header.readUInt32BE(4);
    const data = command === wire.READ && error === 0 ? await this.peer.take(bytes) : Buffer.alloc(0);
    return Buffer.concat([header, data]);
  }

  /** Reads; throws when the answer is an error. */
  async read(offset: number, length: number): Promise<Buffer> {
    const reply = await this.request({ command: wire.READ, offset, length });
    assert.equal(reply.readUInt32BE(4), 0, "READ was answered with an error");
    return reply.subarray(REPLY_BYTES);
  }

  /** Writes; throws when the answer is an error. */
  async write(offset: number, payload: Buffer): Promise<void> {
    const reply = await this.request({ command: wire.WRITE, offset, payload });
    assert.equal(reply.readUInt32BE(4), 0, "WRITE was answered with an error");
  }

  /** Leaves the polite way and waits until the connection is closed. */
  async disconnect(): Promise<void> {
    const closed = once(this.peer.socket, "close");
    this.peer.socket.end(wire.requestHeader({ command: wire.DISC, flags: 0, cookie: 0n, offset: 0, length: 0 }));
    this.peer.socket.resume();
    await closed;
  }
}
