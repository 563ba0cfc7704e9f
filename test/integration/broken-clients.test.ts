import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { once } from "node:events";
import type { Socket } from "node:net";
import { describe, expect, it } from "vitest";

import type { Endpoint } from "../../src/ports/network.ts";
import * as wire from "../simulation/wire.ts";
import { newEndpoint, proxyTo } from "./support/chain.ts";
import { FAKE_BYTE, FakeServer } from "./support/fake-server.ts";
import { PlainClient, connectTo } from "./support/plain-client.ts";

/** What an ordinary client says, from its flags to its good-bye. */
const SESSION = Buffer.concat([
  wire.u32(3),
  wire.option(wire.LIST, Buffer.alloc(0)),
  wire.option(wire.GO, wire.exportQuery("", [1, 2, 3])),
  wire.requestHeader({ command: wire.WRITE, flags: 0, cookie: 1n, offset: 0, length: 64 }),
  Buffer.alloc(64, FAKE_BYTE),
  wire.requestHeader({ command: wire.READ, flags: 0, cookie: 2n, offset: 0, length: 512 }),
  wire.requestHeader({ command: wire.FLUSH, flags: 0, cookie: 3n, offset: 0, length: 0 }),
  wire.requestHeader({ command: wire.DISC, flags: 0, cookie: 4n, offset: 0, length: 0 }),
]);
const CUTS = Array.from({ length: SESSION.length + 1 }, (_, cut) => cut);
const GARBAGE_CLIENTS = 200;
/** What the collector may leave lying about; a leak of what those clients sent would be some 25 MiB a storm. */
const RSS_GROWTH_BYTES = 40 * 1024 * 1024;
const RSS_BYTES = 200 * 1024 * 1024;

async function rssOf(pid: number): Promise<number> {
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(await readFile(`/proc/${pid}/status`, "utf8"))?.[1];
  return Number(kib) * 1024;
}

async function expectServed(endpoint: Endpoint): Promise<void> {
  const client = await PlainClient.connect(endpoint);
  expect((await client.read(1024, 512)).equals(Buffer.alloc(512, FAKE_BYTE))).toBe(true);
  await client.disconnect();
}

async function connected(endpoint: Endpoint): Promise<Socket> {
  const socket = connectTo(endpoint);
  await once(socket, "connect");
  return socket.resume();
}

describe("a client that leaves at any byte", () => {
  it.each([
    ["with a FIN", "tcp", (socket: Socket, bytes: Buffer) => socket.end(bytes)],
    ["with a FIN", "unix", (socket: Socket, bytes: Buffer) => socket.end(bytes)],
    ["with a RST", "tcp", (socket: Socket, bytes: Buffer) => socket.write(bytes, () => socket.resetAndDestroy())],
  ] as const)("does not disturb the next (%s, %s)", async (_how, kind, leave) => {
    const server = await FakeServer.start(await newEndpoint("unix"));
    const proxy = await proxyTo(server, { kind });
    for (const cut of CUTS) {
      const socket = await connected(proxy.endpoint);
      leave(socket, SESSION.subarray(0, cut));
      await expectServed(proxy.endpoint);
      socket.destroy();
    }
    expect(server.connections).toBe(1);
    expect(await proxy.process.stop()).toEqual({ status: 0, signal: null });
  });
});

describe("a client that sends garbage", () => {
  const { WRITE, READ } = wire;
  const goodStart = Buffer.concat([wire.u32(3), wire.option(wire.GO, wire.exportQuery("", []))]);
  const huge = { flags: 0, cookie: 1n, offset: 0, length: 0xffff_ffff };
  const cases: readonly (readonly [string, Buffer])[] = [
    ["unknown client flags", wire.u32(0xffff_ffff)],
    ["a wrong option magic", Buffer.concat([wire.u32(3), Buffer.from("IHAVENOT"), wire.u32(7), wire.u32(0)])],
    ["an option of 4 GiB", Buffer.concat([wire.u32(3), Buffer.from("IHAVEOPT"), wire.u32(7), wire.u32(0xffff_ffff)])],
    ["a wrong request magic", Buffer.concat([goodStart, Buffer.alloc(28, 0x25)])],
    ["a write of 4 GiB", Buffer.concat([goodStart, wire.requestHeader({ ...huge, command: WRITE })])],
  ];
  it.each(cases)("is hung up on (%s)", async (_what, bytes) => {
    const server = await FakeServer.start(await newEndpoint("unix"));
    const proxy = await proxyTo(server);
    const socket = await connected(proxy.endpoint);
    const closed = once(socket, "end");
    socket.write(bytes);
    await closed;
    expect(proxy.process.stderr).toMatch(/:W:.* client .*; hanging up/);
    await expectServed(proxy.endpoint);
  });

  it("asks in vain for absurd lengths, and is served otherwise", async () => {
    const server = await FakeServer.start(await newEndpoint("unix"));
    const proxy = await proxyTo(server);
    const client = await PlainClient.connect(proxy.endpoint);
    const einval = { error: wire.EINVAL, data: Buffer.alloc(0) };
    expect(await client.request({ command: READ, length: 0xffff_ffff })).toEqual(einval);
    expect(await client.request({ command: READ, offset: 2 ** 52, length: 512 })).toEqual(einval);
    expect(await client.request({ command: 99, length: 512 })).toEqual(einval);
    expect(await client.request({ command: WRITE, payload: Buffer.alloc(40 * 1024 * 1024) })).toMatchObject({
      error: wire.ENOSPC,
    });
    await client.read(0, 512);
    // Only what made sense got through.
    expect(server.commands).toEqual([READ]);
    await client.disconnect();
  });

  it("leaves no memory behind, however many of it come", async () => {
    const server = await FakeServer.start(await newEndpoint("unix"));
    const proxy = await proxyTo(server);
    const { pid } = proxy.process;
    const storm = async (): Promise<void> => {
      for (let index = 0; index < GARBAGE_CLIENTS; index++) {
        const socket = await connected(proxy.endpoint);
        const start = index % 3 === 0 ? Buffer.alloc(0) : SESSION.subarray(0, (index * 7) % SESSION.length);
        socket.end(Buffer.concat([start, randomBytes(64 * 1024)]));
        if (index % 20 === 0) await expectServed(proxy.endpoint);
      }
      await expectServed(proxy.endpoint);
    };
    await storm();
    const before = await rssOf(pid);
    await storm();
    await storm();
    const after = await rssOf(pid);
    console.log(`resident memory after 200 and 600 broken clients: ${before >> 20} and ${after >> 20} MiB`);
    expect(after - before).toBeLessThan(RSS_GROWTH_BYTES);
    expect(after).toBeLessThan(RSS_BYTES);
    expect(server.connections).toBe(1);
  });
});
