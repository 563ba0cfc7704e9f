import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";

import type { ByteStream, Endpoint } from "../../../src/ports/network.ts";
import { NodeNetwork } from "../../../src/transport/node-network.ts";
import { collect } from "../support/byte-collector.ts";
import { settle, until } from "../support/settle.ts";

const network = new NodeNetwork();
const atEnd: (() => unknown)[] = [];

afterEach(async () => {
  for (const end of atEnd.splice(0).toReversed()) await end();
});

async function listen(endpoint: Endpoint) {
  const accepted: ByteStream[] = [];
  const listening = await network.listen({ endpoint, socketMode: 0o600 }, (stream) => {
    accepted.push(stream);
    atEnd.push(() => stream.destroy());
  });
  atEnd.push(() => listening.close());
  return { accepted, listening };
}

function dial(endpoint: Endpoint, bindAddress?: string): Promise<ByteStream> {
  return new Promise((resolve, reject) => {
    const failed = reject;
    network.dial({ endpoint, bindAddress }, { connected: resolve, failed });
  });
}

/** A listener of the kind, and both ends of one connection to it. */
async function connection(kind: "tcp" | "unix") {
  let endpoint: Endpoint = { kind: "tcp", host: "127.0.0.1", port: 0 };
  if (kind === "unix") {
    const folder = await mkdtemp(join(tmpdir(), "flexnbd-"));
    atEnd.push(() => rm(folder, { recursive: true, force: true }));
    endpoint = { kind: "unix", path: join(folder, "s") };
  }
  const { accepted, listening } = await listen(endpoint);
  const dialled = await dial(listening.endpoint);
  atEnd.push(() => dialled.destroy());
  await until("the connection is accepted", () => accepted.length > 0);
  const [server] = accepted;
  if (server === undefined) throw new Error("nothing was accepted");
  return { dialled, server, listening };
}

/** Writes chunks one after the other, waiting whenever the stream has a backlog. Returns how often it had. */
async function pour(stream: ByteStream, drains: () => number, bytes: Buffer, chunkBytes: number): Promise<number> {
  let backlogs = 0;
  for (let at = 0; at < bytes.length; at += 2 * chunkBytes) {
    const middle = Math.min(at + chunkBytes, bytes.length);
    const chunks = [bytes.subarray(at, middle), bytes.subarray(middle, at + 2 * chunkBytes)];
    const before = drains();
    if (stream.write(chunks.filter((chunk) => chunk.length > 0))) continue;
    backlogs += 1;
    await until("the stream has drained", () => drains() > before);
  }
  return backlogs;
}

function noise(lengthBytes: number, seed: number): Buffer {
  const bytes = Buffer.alloc(lengthBytes);
  let state = seed;
  for (let at = 0; at < lengthBytes; at += 4) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes.writeUInt32BE(state, at);
  }
  return bytes;
}

describe.each(["tcp", "unix"] as const)("NodeNetwork over %s", (kind) => {
  it("carries bytes both ways, many megabytes of them, through a slow reader", async () => {
    const { dialled, server } = await connection(kind);
    const [there, back] = [noise(12_000_000, 1), noise(12_000_000, 2)];
    const atClient = collect(dialled);
    const atServer = collect(server);
    atServer.onReceived = () => {
      server.pause();
      setImmediate(() => server.resume());
    };
    const backlogs = await Promise.all([
      pour(dialled, () => atClient.drains, there, 1_000_000),
      pour(server, () => atServer.drains, back, 300_000),
    ]);
    await until(
      "all has arrived",
      () => atServer.byteCount === there.length && atClient.byteCount === back.length,
      20_000,
    );
    expect(atServer.bytes.equals(there)).toBe(true);
    expect(atClient.bytes.equals(back)).toBe(true);
    expect(backlogs[0]).toBeGreaterThan(0);
  });

  it("carries more chunks in one write than the system takes at once, in order, through a slow reader", async () => {
    const { dialled, server } = await connection(kind);
    const chunks = Array.from({ length: 6000 }, (_, index) => Buffer.alloc(1 + ((index * 7919) % 4000), index & 0xff));
    const whole = Buffer.concat(chunks);
    const atClient = collect(dialled);
    expect(dialled.write(chunks)).toBe(false);
    const atServer = collect(server);
    await until("everything is there", () => atServer.byteCount === whole.length);
    expect(atServer.bytes.equals(whole)).toBe(true);
    await until("the writer is told", () => atClient.drains === 1);
  });

  it("tells the reader when it writes to somebody who is gone", async () => {
    const { dialled, server } = await connection(kind);
    const atClient = collect(dialled);
    server.destroy();
    await until("it is over", () => {
      dialled.write([Buffer.alloc(1000)]);
      dialled.write([Buffer.alloc(1000), Buffer.alloc(1000)]);
      return atClient.events.some((event) => event.startsWith("closed"));
    });
    expect(atClient.events.filter((event) => event.startsWith("closed"))).toHaveLength(1);
  });

  it("reads nothing before it is started", async () => {
    const { dialled, server } = await connection(kind);
    expect(dialled.write([Buffer.from("early "), Buffer.from("bytes")])).toBe(true);
    await settle();
    const atServer = collect(server);
    await until("it has arrived", () => atServer.byteCount === 11);
    expect(atServer.bytes.toString()).toBe("early bytes");
  });

  it("reads nothing while it is paused", async () => {
    const { dialled, server } = await connection(kind);
    const atServer = collect(server);
    dialled.write([Buffer.from("a")]);
    await until("the first byte has arrived", () => atServer.byteCount === 1);
    server.pause();
    dialled.write([Buffer.alloc(100_000)]);
    await new Promise((resolve) => {
      setTimeout(resolve, 30);
    });
    expect(atServer.byteCount).toBe(1);
    server.resume();
    await until("the rest has arrived", () => atServer.byteCount === 100_001);
  });

  it("hands the reading over to another reader in the middle of it", async () => {
    const { dialled, server } = await connection(kind);
    const first = collect(server);
    dialled.write([Buffer.from("first")]);
    await until("it has arrived", () => first.byteCount === 5);
    // The memory that was lent already is smaller, and larger, than that of the next reader.
    const second = collect(server, 3);
    dialled.write([Buffer.from("for the second")]);
    await until("it has arrived", () => second.byteCount === 14);
    const third = collect(server);
    dialled.write([Buffer.from("third!")]);
    await until("it has arrived", () => third.byteCount === 6);
    expect([first.bytes, second.bytes, third.bytes].map(String)).toEqual(["first", "for the second", "third!"]);
  });

  it("half-closes: the other side sees the end behind the last byte, and can still answer", async () => {
    const { dialled, server } = await connection(kind);
    const [atClient, atServer] = [collect(dialled), collect(server)];
    dialled.write([noise(1_000_000, 3)]);
    dialled.end();
    await until("the end has arrived", () => atServer.events.includes("ended"));
    expect(atServer.byteCount).toBe(1_000_000);
    expect(dialled.write([Buffer.from("after the end")])).toBe(true);
    server.write([Buffer.from("answer")]);
    await until("the answer has arrived", () => atClient.byteCount === 6);
    expect([atClient.events, atServer.events]).toEqual([[], ["ended"]]);
    server.end();
    await until("both are closed", () => atClient.events.length === 2 && atServer.events.length === 2);
    expect([atClient.events, atServer.events]).toEqual([
      ["ended", "closed"],
      ["ended", "closed"],
    ]);
  });

  it("destroys at once, and tells its own reader, later and once", async () => {
    const { dialled, server } = await connection(kind);
    const [atClient, atServer] = [collect(dialled), collect(server)];
    dialled.destroy();
    dialled.destroy();
    expect(atClient.events).toEqual([]);
    expect(dialled.write([Buffer.from("x")])).toBe(true);
    await until("it is gone on both sides", () => atClient.events.length > 0 && atServer.events.length > 0);
    server.destroy();
    await until("it is closed on both sides", () => atServer.events.at(-1)?.startsWith("closed") === true);
    expect(atClient.events).toEqual(["closed"]);
  });

  it("resets where the network knows resets, and tells its own reader, later and once", async () => {
    const { dialled, server } = await connection(kind);
    const [atClient, atServer] = [collect(dialled), collect(server)];
    dialled.reset();
    dialled.reset();
    expect(atClient.events).toEqual([]);
    await until("it is gone on both sides", () => atClient.events.length > 0 && atServer.events.length > 0);
    expect(atClient.events).toEqual(["closed"]);
    expect(atServer.events).toEqual([kind === "tcp" ? "closed ECONNRESET" : "ended"]);
  });

  it("drops what is queued when it resets", async () => {
    const { dialled, server } = await connection(kind);
    const [atClient, atServer] = [collect(dialled), collect(server)];
    server.pause();
    dialled.write([noise(40_000_000, 4)]);
    dialled.reset();
    server.resume();
    await until("it is gone on both sides", () => atClient.events.length > 0 && atServer.events.length > 0);
    expect(atServer.byteCount).toBeLessThan(40_000_000);
  });

  it("resets behind a half-close as well", async () => {
    const { dialled, server } = await connection(kind);
    const [atClient, atServer] = [collect(dialled), collect(server)];
    dialled.write([Buffer.from("last words")]);
    dialled.end();
    await until("the end has arrived", () => atServer.events.includes("ended"));
    dialled.reset();
    await until("it is gone here", () => atClient.events.length > 0);
    expect([atClient.events, atServer.bytes.toString()]).toEqual([["closed"], "last words"]);
    server.write([Buffer.from("too late")]);
    await until("it is gone there", () => atServer.events.length > 1);
    expect(atServer.events[1]).toMatch(/^closed (ECONNRESET|EPIPE)$/);
  });

  it.each(["at once", "a moment later"])("is gone when it is reset during a half-close, %s", async (when) => {
    const { dialled } = await connection(kind);
    const atClient = collect(dialled);
    dialled.write([Buffer.from("last words")]);
    dialled.end();
    if (when === "a moment later") await new Promise<void>((resolve) => process.nextTick(resolve));
    dialled.reset();
    await until("it is gone here", () => atClient.events.length > 0);
    expect(atClient.events).toEqual(["closed"]);
  });

  it("tells a reader that comes late how the stream ended", async () => {
    const { dialled, server } = await connection(kind);
    const atServer = collect(server);
    dialled.end();
    await until("the end has arrived", () => atServer.events.length > 0);
    const late = collect(server);
    expect(late.events).toEqual([]);
    await settle();
    expect(late.events).toEqual(["ended"]);
    server.destroy();
    await until("it is closed", () => late.events.length === 2);
    const later = collect(server);
    await settle();
    expect(later.events).toEqual(["closed"]);
  });

  it("accepts nobody any more when it is closed, while connections live on", async () => {
    const { dialled, server, listening } = await connection(kind);
    await listening.close();
    await expect(dial(listening.endpoint)).rejects.toThrow(/ECONNREFUSED|ENOENT/);
    const atServer = collect(server);
    dialled.write([Buffer.from("alive")]);
    await until("it has arrived", () => atServer.byteCount === 5);
  });
});

describe("NodeNetwork", () => {
  it("names the other side for log lines", async () => {
    const tcp = await connection("tcp");
    expect(tcp.server.peer).toMatch(/^127\.0\.0\.1:\d+$/);
    expect(tcp.dialled.peer).toMatch(/^127\.0\.0\.1:\d+$/);
    const unix = await connection("unix");
    expect(unix.server.peer).toBe("on UNIX socket");
    expect(unix.dialled.peer).toMatch(/^unix:\//);
  });

  it("knows the other side's address, which UNIX sockets do not have", async () => {
    const tcp = await connection("tcp");
    expect([tcp.server.peerAddress, tcp.dialled.peerAddress]).toEqual(["127.0.0.1", "127.0.0.1"]);
    const unix = await connection("unix");
    expect([unix.server.peerAddress, unix.dialled.peerAddress]).toEqual([undefined, undefined]);
  });

  it("turns port 0 into the port that the system chose", async () => {
    const { listening } = await listen({ kind: "tcp", host: "127.0.0.1", port: 0 });
    expect(listening.endpoint).toMatchObject({ kind: "tcp", host: "127.0.0.1" });
    expect(listening.endpoint.kind === "tcp" && listening.endpoint.port > 0).toBe(true);
  });

  it("rejects with the system's error when the address is taken", async () => {
    const { listening } = await listen({ kind: "tcp", host: "127.0.0.1", port: 0 });
    await expect(listen(listening.endpoint)).rejects.toThrow("EADDRINUSE");
  });

  it("fails, later, when nobody listens", async () => {
    const { listening } = await listen({ kind: "tcp", host: "127.0.0.1", port: 0 });
    await listening.close();
    let called = false;
    const failed = new Promise<Error>((resolve) => {
      const outcome = { connected: () => undefined, failed: resolve };
      network.dial({ endpoint: listening.endpoint, bindAddress: undefined }, outcome);
    }).then((error) => {
      called = true;
      return error;
    });
    expect(called).toBe(false);
    expect((await failed).message).toContain("ECONNREFUSED");
  });

  it("fails when there is no socket at the path, or the path is too long for one", async () => {
    await expect(dial({ kind: "unix", path: join(tmpdir(), "flexnbd-nobody") })).rejects.toThrow("ENOENT");
    await expect(dial({ kind: "unix", path: `/${"x".repeat(200)}` })).rejects.toThrow();
  });

  it("tells nobody about an attempt that was aborted", async () => {
    const { accepted, listening } = await listen({ kind: "tcp", host: "127.0.0.1", port: 0 });
    const told: string[] = [];
    const outcome = { connected: () => told.push("connected"), failed: () => told.push("failed") };
    network.dial({ endpoint: listening.endpoint, bindAddress: undefined }, outcome).abort();
    const other = await dial(listening.endpoint);
    other.destroy();
    await until("the other one is accepted", () => accepted.length > 0);
    expect(told).toEqual([]);
  });

  it("connects from the address that it was told to", async () => {
    const { accepted, listening } = await listen({ kind: "tcp", host: "127.0.0.1", port: 0 });
    const stream = await dial(listening.endpoint, "127.0.0.2");
    atEnd.push(() => stream.destroy());
    await until("it is accepted", () => accepted.length > 0);
    expect(accepted[0]?.peer).toMatch(/^127\.0\.0\.2:/);
  });

  it("fails when it can't have the address to connect from", async () => {
    const { listening } = await listen({ kind: "tcp", host: "127.0.0.1", port: 0 });
    await expect(dial(listening.endpoint, "192.0.2.1")).rejects.toThrow("EADDRNOTAVAIL");
  });
});
