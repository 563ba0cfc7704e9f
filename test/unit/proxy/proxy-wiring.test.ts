import { describe, expect, it } from "vitest";

import { parseAddressRange } from "../../../src/config/address-range.ts";
import { LIMITS } from "../../../src/limits.ts";
import { TRANSMISSION_FLAG } from "../../../src/protocol/constants.ts";
import type { ProxyOptions } from "../../../src/proxy/proxy.ts";
import { FakeStream } from "../support/fake-stream.ts";
import { diskBytes } from "../support/held-disk.ts";
import { parseReplies, parseRequests, replyBytes, requestBytes } from "../support/naive-codec.ts";
import { clientHello, serverHello } from "../support/negotiation.ts";
import { settle } from "../support/settle.ts";
import { TestClient } from "../support/test-client.ts";
import { PlayedServer, serve } from "../upstream/served-upstream.ts";
import { OPTIONS, setUp, started } from "./started-proxy.ts";

// What each option of the proxy changes, from the client to the server and back.

/** The hello of an old-style server, with words in its padding that no one has a meaning for. */
const HELLO = Buffer.concat([
  Buffer.from("4e42444d414749430000420281861253", "hex"),
  Buffer.from("0000000000100000", "hex"),
  Buffer.from("0000006d", "hex"),
  Buffer.alloc(124, 0x20),
]);

const NAMELESS = [{ endpoint: { kind: "tcp", host: "old", port: 1 }, exportName: "", bindAddress: undefined }] as const;

/** A proxy in front of an old-style server. */
async function inFrontOfOldServer(options: Partial<ProxyOptions> = {}) {
  const world = setUp({ upstreams: NAMELESS, ...options });
  const starting = world.proxy.start();
  const server = world.network.lastDial.connect();
  server.say(HELLO);
  await starting;
  return { ...world, server };
}

function greeted(stream: FakeStream): boolean {
  return stream.heard.toString("latin1", 0, 8) === "NBDMAGIC";
}

describe("Proxy with --handshake", () => {
  it("gives a client of an old-style server the same 152 bytes, and serves it", async () => {
    const { network, server } = await inFrontOfOldServer();
    const client = network.client();
    await settle();
    expect(client.listen()).toEqual(HELLO);
    client.say(requestBytes({ cookie: 7n, offset: 16, length: 8 }));
    await settle();
    const [request] = parseRequests(server.heard).requests;
    expect(request).toMatchObject({ command: 0, offset: 16n, length: 8 });
    server.say(replyBytes({ cookie: request?.cookie ?? 0n, data: diskBytes(16, 8) }));
    await settle();
    expect(parseReplies(client.heard, () => 8).replies).toEqual([{ error: 0, cookie: 7n, data: diskBytes(16, 8) }]);
  });

  it("makes an old-style server usable for new-style clients, with newstyle", async () => {
    const { network, server } = await inFrontOfOldServer({ greetingStyle: "newstyle" });
    const client = await new TestClient(network.client()).join();
    client.write(0, Buffer.from("new to old"));
    await settle();
    const [request] = parseRequests(server.heard).requests;
    expect(String(request?.payload)).toBe("new to old");
    server.say(replyBytes({ cookie: request?.cookie ?? 0n }));
    await settle();
    expect(client.answers).toEqual([[1n, 0]]);
  });

  it("makes a new-style server usable for old-style clients, with oldstyle", async () => {
    const { network, server } = await started({ greetingStyle: "oldstyle" });
    const client = network.client();
    await settle();
    expect(client.heard).toHaveLength(152);
    expect(client.listen().toString("hex", 0, 28)).toBe("4e42444d414749430000420281861253000000000010000000000c6d");
    client.say(requestBytes({ command: 1, cookie: 1n, payload: Buffer.from("old to new") }));
    await settle();
    expect(server.requests.map(({ payload }) => String(payload))).toEqual(["old to new"]);
    await server.answer(0);
    expect(parseReplies(client.heard).replies).toEqual([{ error: 0, cookie: 1n, data: Buffer.alloc(0) }]);
  });

  it("greets every client like the first server, also after another style came back", async () => {
    const { network, server, clock } = await inFrontOfOldServer();
    server.drop();
    await settle();
    clock.advance(0);
    await PlayedServer.on(network.lastDial, { flags: 0x6d });
    const client = network.client();
    await settle();
    expect(client.heard).toEqual(HELLO);
  });

  it("refuses at start an old-style server that is asked for an export by name", async () => {
    const { proxy, network } = setUp();
    const starting = proxy.start();
    const outcome = expect(starting).rejects.toThrow("old style, which knows no export names");
    network.lastDial.connect().say(HELLO);
    await outcome;
  });
});

describe("Proxy with --max-clients", () => {
  it("serves as many clients at once, over one connection to the server, and lets the next wait", async () => {
    const { network, server } = await started({ maxClients: 3 });
    const streams = Array.from({ length: 4 }, (_, index) => network.client(`client ${index}`));
    await settle();
    expect(streams.map(greeted)).toEqual([true, true, true, false]);
    const clients = await Promise.all(streams.slice(0, 3).map((stream) => new TestClient(stream).join()));
    for (const [index, client] of clients.entries()) client.read(index * 512, 512);
    await settle();
    expect(server.heard).toEqual(["0@0+512", "0@512+512", "0@1024+512"]);
    for (const index of [2, 0, 1]) await server.answer(index, 0, diskBytes(index * 512, 512));
    expect(clients.map(({ replies }) => replies.map(({ data }) => data))).toEqual(
      clients.map((_, index) => [diskBytes(index * 512, 512)]),
    );
    expect(network.dials).toHaveLength(1);
    streams[1]?.drop();
    await settle();
    expect(streams.map(greeted)).toEqual([true, true, true, true]);
  });

  it.each([
    [1, 0],
    [2, TRANSMISSION_FLAG.CAN_MULTI_CONN],
    [16, TRANSMISSION_FLAG.CAN_MULTI_CONN],
  ])("of %i offers CAN_MULTI_CONN only when several may connect, in both styles", async (maxClients, expected) => {
    for (const offered of [0x6d, 0x16d]) {
      const world = setUp({ maxClients });
      const starting = world.proxy.start();
      await serve(world.network, { flags: offered });
      await starting;
      const client = await new TestClient(world.network.client()).join();
      expect(client.stream.heard.readUInt16BE(18 + 20 + 2 + 8)).toBe(0x6d | expected);

      const old = setUp({ maxClients, greetingStyle: "oldstyle" });
      const startingOld = old.proxy.start();
      await serve(old.network, { flags: offered });
      await startingOld;
      const oldClient = old.network.client();
      await settle();
      expect(oldClient.heard.readUInt16BE(26)).toBe(0x6d | expected);
    }
  });

  it("sends the FLUSH of one client past the unanswered write of another, as the text allows", async () => {
    const { network, server } = await started({ maxClients: 2 });
    const [one, other] = await Promise.all(["a", "b"].map((name) => new TestClient(network.client(name)).join()));
    one?.write(0, Buffer.from("one's"));
    other?.ask({ command: 3 });
    await settle();
    expect(server.heard).toEqual(["1@0+5", "3@0+0"]);
    await server.answer(1);
    expect([one?.answers, other?.answers]).toEqual([[], [[1n, 0]]]);
  });

  it("keeps overlapping writes of several clients apart, in the order in which they came", async () => {
    const { network, server } = await started({ maxClients: 2 });
    const [one, other] = await Promise.all(["a", "b"].map((name) => new TestClient(network.client(name)).join()));
    one?.write(0, Buffer.from("first"));
    other?.write(2, Buffer.from("second"));
    await settle();
    expect(server.heard).toEqual(["1@0+5"]);
    await server.answer(0);
    expect(server.heard).toEqual(["1@0+5", "1@2+6"]);
  });
});

describe("Proxy with --allow", () => {
  it("hangs up on clients from elsewhere", async () => {
    const { network, log } = await started({ allow: [parseAddressRange("192.0.2.0/24")] });
    const stranger = new FakeStream("stranger");
    stranger.peerAddress = "198.51.100.1";
    network.client("stranger", stranger);
    expect([stranger.destroyed, stranger.writes]).toEqual([true, []]);
    expect(log.of("warning")).toEqual(["client stranger: not allowed from there; hanging up"]);
    expect(greeted((await new TestClient(network.client()).join()).stream)).toBe(true);
  });
});

describe("Proxy with several upstreams", () => {
  const upstreams = [
    OPTIONS.upstreams[0],
    { endpoint: { kind: "unix", path: "/run/spare.sock" }, exportName: "spare", bindAddress: undefined },
  ] as const;

  it("starts with the next one when the preferred one can't be had, and serves it under the first one's name", async () => {
    const { proxy, network, log } = setUp({ upstreams });
    const starting = proxy.start();
    network.lastDial.refuse();
    const server = await serve(network);
    await starting;
    expect(network.dials.map(({ target }) => target.endpoint)).toEqual(upstreams.map(({ endpoint }) => endpoint));
    expect(server.stream.heard.includes("spare")).toBe(true);
    expect(log.of("info")[0]).toBe("server unix:/run/spare.sock: connected, 1048576 bytes");
    await new TestClient(network.client()).join("disk");
  });

  it("rejects when none of them can be had, and tries each once", async () => {
    const { proxy, network, clock } = setUp({ upstreams });
    const starting = proxy.start();
    network.lastDial.refuse("the first is gone");
    network.lastDial.refuse("the second as well");
    await expect(starting).rejects.toThrow("the second as well");
    expect([network.dials.length, network.listening, clock.pending]).toEqual([2, undefined, 0]);
  });

  it("stays on the one that works, and takes the next one in an outage when that is refused", async () => {
    const { network, clock, server } = await started({ upstreams });
    const client = await new TestClient(network.client()).join();
    await server.drop();
    clock.advance(0);
    network.lastDial.refuse();
    clock.advance(100);
    const spare = await PlayedServer.on(network.lastDial);
    client.read(0, 4);
    await settle();
    await spare.answer(0, 0, diskBytes(0, 4));
    expect(client.answers).toEqual([[1n, 0]]);
    await spare.drop();
    clock.advance(0);
    const path = ({ endpoint }: { endpoint: { kind: string } }): string => endpoint.kind;
    expect(network.dials.map(({ target }) => path(target))).toEqual(["tcp", "tcp", "unix", "unix"]);
  });
});

describe("Proxy with --upstream-timeout and --idle-ping", () => {
  it("takes a server that says nothing for so long for silent", async () => {
    const { network, clock, server } = await started({ upstreamTimeoutMs: 7000 });
    const client = await new TestClient(network.client()).join();
    client.read(0, 4);
    await settle();
    clock.advance(6999);
    expect(network.dials).toHaveLength(1);
    clock.advance(1);
    clock.advance(0);
    const candidate = await serve(network);
    clock.advance(LIMITS.patienceMs);
    await settle();
    await candidate.answer(0, 0, diskBytes(0, 4));
    expect([client.replies.map(({ data }) => data), server.stream.finished]).toEqual([[diskBytes(0, 4)], true]);
  });

  it("pings an idle server, and no client hears of it", async () => {
    const { network, clock, server } = await started({ idlePingMs: 5000 });
    const client = await new TestClient(network.client()).join();
    const before = client.stream.heard.length;
    clock.advance(5000);
    await settle();
    expect(server.heard).toEqual(["0@0+512"]);
    await server.answer(0, 0, Buffer.alloc(512));
    expect(client.stream.heard).toHaveLength(before);
  });
});

describe("Proxy whose server takes little at a time", () => {
  const hello = { blocks: [512, 512, 4096] as const };

  it.each([0, 8192])("gives it long requests in parts, with %i bytes of cache", async (cacheBytes) => {
    const world = setUp({ cacheBytes });
    const starting = world.proxy.start();
    const server = await serve(world.network, hello);
    await starting;
    const client = await new TestClient(world.network.client()).join();
    client.write(512, diskBytes(512, 9216));
    await settle();
    expect(server.heard).toEqual(["1@512+4096", "1@4608+4096", "1@8704+1024"]);
    expect(Buffer.concat(server.requests.map(({ payload }) => payload))).toEqual(diskBytes(512, 9216));
    for (const index of [2, 0, 1]) await server.answer(index);
    client.read(2048, 8192);
    await settle();
    // With a cache, what follows is fetched as well.
    expect(server.heard.slice(3, 5)).toEqual(["0@2048+4096", "0@6144+4096"]);
    await server.answer(4, 0, diskBytes(6144, 4096));
    await server.answer(3, 0, diskBytes(2048, 4096));
    expect(client.replies).toEqual([
      { error: 0, cookie: 1n, data: Buffer.alloc(0) },
      { error: 0, cookie: 2n, data: diskBytes(2048, 8192) },
    ]);
  });

  it("sends those parts again after an outage that were not answered before it", async () => {
    const world = setUp();
    const starting = world.proxy.start();
    const server = await serve(world.network, hello);
    await starting;
    const client = await new TestClient(world.network.client()).join();
    client.read(0, 10_240);
    await settle();
    await server.answer(1, 0, diskBytes(4096, 4096));
    await server.drop();
    world.clock.advance(0);
    const next = await serve(world.network, hello);
    expect(next.heard).toEqual(["0@0+4096", "0@8192+2048"]);
    await next.answer(1, 0, diskBytes(8192, 2048));
    await next.answer(0, 0, diskBytes(0, 4096));
    expect(client.replies.map(({ data }) => data)).toEqual([diskBytes(0, 10_240)]);
  });
});

describe("Proxy whose clients don't finish their handshake", () => {
  it("says nothing to the server because of them, and does not dial", async () => {
    const { network, server, clock } = await started({ maxClients: 8 });
    const before = server.stream.heard.length;
    const hello = clientHello("disk");
    for (const bytes of [Buffer.alloc(0), hello.subarray(0, 3), hello.subarray(0, 20), hello.subarray(0, -1)]) {
      network.client().say(bytes);
    }
    network.client().say(clientHello("no such export"));
    network.client().say(Buffer.from("GET / HTTP/1.1\r\n\r\n"));
    network.client().say(serverHello());
    await settle();
    clock.advance(LIMITS.handshakeMs);
    await settle();
    expect([server.stream.heard.length, network.dials.length]).toEqual([before, 1]);
  });
});
