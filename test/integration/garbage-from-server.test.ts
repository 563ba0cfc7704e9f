import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { describe, expect, it } from "vitest";

import * as wire from "../simulation/wire.ts";
import { newEndpoint, proxyTo } from "./support/chain.ts";
import { FAKE_BYTE, FakeServer } from "./support/fake-server.ts";
import type { FakeConnection } from "./support/fake-server.ts";
import { PlainClient } from "./support/plain-client.ts";

/** Instead of a reply to a READ of 512 bytes. */
const REPLIES: readonly (readonly [what: string, reply: (cookie: bigint) => Buffer])[] = [
  ["random bytes", () => Buffer.concat([Buffer.from([0]), randomBytes(4095)])],
  ["a cookie that nobody asked with", (cookie) => wire.simpleReply(0, cookie + 1n)],
  ["a structured reply that nobody asked for", () => Buffer.concat([Buffer.from("668e33ef", "hex"), Buffer.alloc(28)])],
  [
    "the same reply twice",
    (cookie) => twice(Buffer.concat([wire.simpleReply(0, cookie), Buffer.alloc(512, FAKE_BYTE)])),
  ],
  ["another greeting", () => wire.greeting(true)],
];

/** Instead of a greeting. */
const GREETINGS: readonly (readonly [what: string, greeting: Buffer])[] = [
  ["random bytes", Buffer.concat([Buffer.from("XBDMAGIC"), randomBytes(500)])],
  ["another protocol", Buffer.from("SSH-2.0-OpenSSH_9.2\r\n")],
  ["a new style that is not fixed, and then garbage", Buffer.concat([wire.greeting(true), Buffer.alloc(64, 0xff)])],
];

function twice(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, bytes]);
}

describe("a server that answers garbage", () => {
  it.each(REPLIES)("is hung up on and dialled again (reply: %s)", async (_what, reply) => {
    let hungUp: Promise<unknown> | undefined;
    const answer = ({ socket, number }: FakeConnection, request: wire.WireRequest): boolean => {
      if (number > 1) return false;
      hungUp = once(socket, "close");
      socket.write(reply(request.cookie));
      return true;
    };
    const server = await FakeServer.start(await newEndpoint("unix"), { answer });
    const proxy = await proxyTo(server);
    const client = await PlainClient.connect(proxy.endpoint);
    expect((await client.read(0, 512)).equals(Buffer.alloc(512, FAKE_BYTE))).toBe(true);
    // The proxy is in step again whatever the first answer was.
    expect((await client.read(512, 1024)).equals(Buffer.alloc(1024, FAKE_BYTE))).toBe(true);
    await hungUp;
    expect(server.connections).toBe(2);
    expect(proxy.process.stderr).toMatch(/:W:.*connection lost/);
    await client.disconnect();
  });

  it.each(GREETINGS)("is hung up on and dialled again (greeting: %s)", async (_what, bytes) => {
    const greet = ({ socket, number }: FakeConnection): boolean => {
      if (number === 1 || number > 3) return false;
      socket.resume().write(bytes);
      return true;
    };
    const answer = ({ socket, number }: FakeConnection): boolean => {
      if (number === 1) socket.destroy();
      return number === 1;
    };
    const server = await FakeServer.start(await newEndpoint("unix"), { greet, answer });
    const proxy = await proxyTo(server);
    const client = await PlainClient.connect(proxy.endpoint);
    expect((await client.read(0, 512)).equals(Buffer.alloc(512, FAKE_BYTE))).toBe(true);
    expect(server.connections).toBe(4);
    expect(proxy.process.stderr).toMatch(/:W:.*can't connect/);
    await client.disconnect();
  });
});
