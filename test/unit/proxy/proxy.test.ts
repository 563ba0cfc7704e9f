import { describe, expect, it } from "vitest";

import { LIMITS } from "../../../src/limits.ts";
import { NBD_ERROR } from "../../../src/protocol/constants.ts";
import { diskBytes } from "../support/held-disk.ts";
import { settle } from "../support/settle.ts";
import { TestClient } from "../support/test-client.ts";
import { PlayedServer, serve } from "../upstream/served-upstream.ts";
import { OPTIONS, setUp, started } from "./started-proxy.ts";

/** A proxy that is being stopped while it has an acknowledged write to flush, and its server is away. */
async function stoppedWithUnflushed() {
  const { proxy, network, clock, log, server } = await started();
  const client = await new TestClient(network.client()).join();
  client.write(0, Buffer.from("acknowledged"));
  await settle();
  await server.answer(0);
  await server.drop();
  client.disconnect();
  await settle();
  const stopped = proxy.stop();
  await settle();
  return { network, clock, log, client, stopped };
}

describe("Proxy.start", () => {
  it("connects to the server first, then listens, and says where", async () => {
    const { proxy, network, log } = setUp();
    const starting = proxy.start();
    expect(network.lastDial.target).toMatchObject({
      endpoint: OPTIONS.upstreams[0].endpoint,
      bindAddress: "192.0.2.7",
    });
    await settle();
    expect(network.listening).toBeUndefined();
    await serve(network);
    expect(await starting).toEqual({ kind: "tcp", host: "127.0.0.1", port: 4711 });
    expect(network.listening).toEqual({ endpoint: OPTIONS.listen, socketMode: 0o600 });
    expect(log.lines).toEqual([
      "info: server store:10809: connected, 1048576 bytes",
      "info: listening on 127.0.0.1:4711",
    ]);
  });

  it("rejects, and never listens, when the server can't be reached", async () => {
    const { proxy, network, clock } = setUp();
    const starting = proxy.start();
    network.lastDial.refuse("connect ECONNREFUSED");
    await expect(starting).rejects.toThrow("connect ECONNREFUSED");
    expect([network.listening, network.dials.length, clock.pending]).toEqual([undefined, 1, 0]);
    await proxy.stop();
  });

  it("rejects when it can't listen, and takes leave of the server", async () => {
    const { proxy, network, clock } = setUp();
    network.listenError = new Error("listen EADDRINUSE");
    const starting = proxy.start();
    const outcome = expect(starting).rejects.toThrow("listen EADDRINUSE");
    const server = await serve(network);
    await server.answer(0);
    expect(server.heard).toEqual(["3@0+0", "2@0+0"]);
    server.stream.sayEnd();
    await outcome;
    expect(clock.pending).toBe(0);
  });
});

describe("Proxy", () => {
  it("carries a client's requests to the server, and its replies back", async () => {
    const { network, server } = await started();
    const client = await new TestClient(network.client()).join("disk");
    client.write(10, Buffer.from("payload"));
    client.read(0, 4);
    client.ask({ command: 3 });
    await settle();
    expect(server.heard).toEqual(["1@10+7", "0@0+4", "3@0+0"]);
    await server.answer(2);
    await server.answer(1, 0, diskBytes(0, 4));
    await server.answer(0, NBD_ERROR.ENOSPC);
    expect(client.replies).toEqual([
      { error: 0, cookie: 3n, data: Buffer.alloc(0) },
      { error: 0, cookie: 2n, data: diskBytes(0, 4) },
      { error: NBD_ERROR.ENOSPC, cookie: 1n, data: Buffer.alloc(0) },
    ]);
  });

  it("sends a burst of requests, and a burst of replies, as one chunk each", async () => {
    const { network, server } = await started();
    const client = await new TestClient(network.client()).join();
    const before = server.stream.writes.length;
    const burst = Array.from({ length: 16 }, (_, index) => index);
    const one = network.client();
    one.drop();
    client.stream.pause();
    for (const index of burst) client.write(index * 512, Buffer.alloc(512, index));
    client.stream.resume();
    await settle();
    expect(server.stream.writes.slice(before)).toEqual([[16 * (28 + 512)]]);
  });

  it("lets a client see an outage only as a slower reply", async () => {
    const { network, clock, server } = await started();
    const client = await new TestClient(network.client()).join();
    client.write(0, Buffer.from("first"));
    await settle();
    await server.drop();
    client.write(100, Buffer.from("second"));
    clock.advance(0);
    network.lastDial.refuse();
    clock.advance(100);
    await settle();
    const next = await PlayedServer.on(network.lastDial);
    await next.answer(0);
    await next.answer(1);
    expect(next.heard).toEqual(["1@0+5", "1@100+6", "3@0+0"]);
    expect(next.requests.map(({ payload }) => String(payload)).slice(0, 2)).toEqual(["first", "second"]);
    expect(client.answers).toEqual([
      [1n, 0],
      [2n, 0],
    ]);
    expect(client.stream.destroyed).toBe(false);
  });

  it("keeps its connection to the server between clients", async () => {
    const { network, server } = await started();
    const first = await new TestClient(network.client()).join();
    first.disconnect();
    await settle();
    const second = await new TestClient(network.client()).join();
    second.read(0, 1);
    await settle();
    expect([server.heard, network.dials.length]).toEqual([["0@0+1"], 1]);
  });

  it("does not offer several connections, whatever the server offers", async () => {
    const world = setUp();
    const starting = world.proxy.start();
    await serve(world.network, { flags: 0x16d });
    await starting;
    const client = await new TestClient(world.network.client()).join();
    // Greeting, then the header of the INFO reply, its type, the size, the flags.
    expect(client.stream.heard.readUInt16BE(18 + 20 + 2 + 8)).toBe(0x6d);
  });
});

describe("Proxy.stop", () => {
  it("answers what is in flight, has the server FLUSH, says DISC, and leaves nothing behind", async () => {
    const { proxy, network, clock, log, server } = await started();
    const client = await new TestClient(network.client()).join();
    client.write(0, Buffer.from("last"));
    await settle();
    const stopped = proxy.stop();
    await settle();
    expect([network.listening, server.heard]).toEqual([undefined, ["1@0+4"]]);
    await server.answer(0);
    expect(client.answers).toEqual([[1n, 0]]);
    // One because the last client has left, one because the proxy stops.
    expect(server.heard).toEqual(["1@0+4", "3@0+0"]);
    await server.answer(1);
    expect(server.heard).toEqual(["1@0+4", "3@0+0", "3@0+0"]);
    await server.answer(2);
    expect(server.heard.slice(3)).toEqual(["2@0+0"]);
    server.stream.sayEnd();
    client.stream.sayEnd();
    expect(await stopped).toBe(true);
    expect([clock.pending, log.of("warning")]).toEqual([0, []]);
  });

  it("gives up after ten seconds, and says so", async () => {
    const { proxy, network, clock, log, server } = await started();
    const client = await new TestClient(network.client()).join();
    client.write(0, Buffer.from("never answered"));
    await settle();
    await server.drop();
    const stopped = proxy.stop();
    clock.advance(LIMITS.drainMs);
    expect(await stopped).toBe(true);
    await settle();
    expect(log.of("warning").slice(-2)).toEqual([
      "stopping: requests were still unanswered after 10 s",
      "stopping: the server did not confirm a last FLUSH",
    ]);
    expect([client.stream.closed, clock.pending]).toEqual([true, 0]);
  });

  it("says that acknowledged writes are lost, when the server does not come back in time to flush them", async () => {
    const { clock, log, stopped } = await stoppedWithUnflushed();
    clock.advance(LIMITS.drainMs);
    expect(await stopped).toBe(false);
    expect([log.of("error"), clock.pending]).toEqual([
      ["stopping: 12 bytes that were acknowledged and not flushed are lost"],
      0,
    ]);
  });

  it("waits for a server that is away when there is something to save", async () => {
    const { network, clock, log, client, stopped } = await stoppedWithUnflushed();
    clock.advance(0);
    const next = await PlayedServer.on(network.lastDial);
    await next.answer(0);
    await next.answer(1);
    expect(next.heard).toEqual(["1@0+12", "3@0+0", "2@0+0"]);
    next.stream.sayEnd();
    client.stream.sayEnd();
    expect(await stopped).toBe(true);
    expect([log.of("error"), clock.pending]).toEqual([[], 0]);
  });
});
