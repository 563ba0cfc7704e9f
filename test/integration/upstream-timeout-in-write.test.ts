import assert from "node:assert";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:net";
import type { Server } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, it } from "vitest";

import type { Endpoint } from "../../src/ports/network.ts";
import * as wire from "../simulation/wire.ts";
import { atEnd } from "./support/at-end.ts";
import { uriOf } from "./support/endpoints.ts";
import { freeEndpoint } from "./support/free-port.ts";
import { OldStyleClient } from "./support/old-style-client.ts";
import { proxyBefore } from "./support/proxy-before.ts";
import { RawPeer } from "./support/raw-peer.ts";

const MIB = 1024 * 1024;
const HEADER_BYTES = 28;
const TIMEOUT_S = 4;

/** A server whose connections the test serves by hand. */
class HandServed {
  readonly peers: RawPeer[] = [];
  readonly #server: Server;
  readonly #waiting: (() => void)[] = [];

  private constructor() {
    this.#server = createServer({ pauseOnConnect: true }, (socket) => {
      this.peers.push(new RawPeer(socket));
      for (const wake of this.#waiting.splice(0)) wake();
    });
    atEnd(() => this.close());
  }

  static async listen(endpoint: Endpoint): Promise<HandServed> {
    assert(endpoint.kind === "tcp");
    const server = new HandServed();
    server.#server.listen(endpoint.port, endpoint.host);
    await once(server.#server, "listening");
    return server;
  }

  /** Waits for the connection with this number, from 0. */
  async peer(number: number): Promise<RawPeer> {
    for (;;) {
      const peer = this.peers[number];
      if (peer !== undefined) return peer;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  /** Closes every connection and listens no more. */
  close(): void {
    for (const { socket } of this.peers) socket.destroy();
    this.#server.close();
  }
}

describe("with FLEXNBD_UPSTREAM_TIMEOUT=4, a server that stops reading in the middle of a write", () => {
  it("is looked for again after 4 s, and gets the same request whole on the next connection", async () => {
    const endpoint = await freeEndpoint();
    const first = await HandServed.listen(endpoint);
    const starting = proxyBefore([uriOf(endpoint)], { environment: { FLEXNBD_UPSTREAM_TIMEOUT: String(TIMEOUT_S) } });
    const before = await first.peer(0);
    before.socket.write(wire.oldStyleHello(16 * MIB));
    const proxy = await starting;
    const client = await OldStyleClient.connect(proxy.endpoint);

    const payload = randomBytes(4 * MIB);
    const answered = client.request({ command: wire.WRITE, offset: 3 * MIB + 7, payload });
    const header = await before.take(HEADER_BYTES);
    const part = await before.take(1.5 * MIB);
    const stalledMs = performance.now();
    expect(part.equals(payload.subarray(0, part.length))).toBe(true);

    // It looks for another connection beside the silent one, which it keeps; nobody greets it there.
    const candidate = await first.peer(1);
    const noticedMs = performance.now() - stalledMs;
    expect(noticedMs).toBeGreaterThan(TIMEOUT_S * 1000 - 100);
    expect(noticedMs).toBeLessThan(TIMEOUT_S * 1000 + 4000);
    expect(proxy.process.stderr).toMatch(/:W:.*silent while requests wait/);
    expect([before.socket.closed, candidate.socket.closed]).toEqual([false, false]);

    first.close();
    await proxy.process.untilStderr(/can't connect/);
    await delay(300);
    const second = await HandServed.listen(endpoint);
    const next = await second.peer(0);
    next.socket.write(wire.oldStyleHello(16 * MIB));
    const headerAgain = await next.take(HEADER_BYTES);
    const payloadAgain = await next.take(payload.length);
    expect(headerAgain.toString("hex")).toBe(header.toString("hex"));
    expect(wire.parseRequest(headerAgain)).toMatchObject({ command: wire.WRITE, offset: 3 * MIB + 7, length: 4 * MIB });
    expect(payloadAgain.equals(payload)).toBe(true);

    next.socket.write(wire.simpleReply(0, headerAgain.readBigUInt64BE(8)));
    expect((await answered).readUInt32BE(4)).toBe(0);

    // Not a byte was sent twice: what follows is the next request.
    const reading = client.read(0, 512);
    const read = wire.parseRequest(await next.take(HEADER_BYTES));
    expect(read).toMatchObject({ command: wire.READ, offset: 0, length: 512 });
    next.socket.write(Buffer.concat([wire.simpleReply(0, read.cookie), Buffer.alloc(512, 9)]));
    expect((await reading).equals(Buffer.alloc(512, 9))).toBe(true);
  });
});
