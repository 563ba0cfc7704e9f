import { describe, expect, it } from "vitest";

import { newEndpoint, proxyTo } from "./support/chain.ts";
import { FAKE_SIZE, FakeServer } from "./support/fake-server.ts";
import { PlainClient } from "./support/plain-client.ts";

describe("a client that leaves during an outage", () => {
  it.each(["politely", "at once", "by a reset"])("frees its place (%s)", async (how) => {
    const server = await FakeServer.start(await newEndpoint("unix"));
    const proxy = await proxyTo(server, { kind: "tcp" });
    const first = await PlainClient.connect(proxy.endpoint);
    await first.read(0, 512);
    await server.stop();
    await proxy.process.untilStderr(/can't connect/);
    const held = [first.read(0, 4096), first.write(4096, Buffer.alloc(64 * 1024))].map(async (request) => {
      await expect(request).rejects.toThrow("the client's connection is over");
    });

    // The server is away all the time.
    if (how === "politely") first.disconnect().catch(() => undefined);
    else if (how === "at once") first.socket.destroy();
    else first.socket.resetAndDestroy();
    const second = await PlainClient.connect(proxy.endpoint);
    expect(second.sizeBytes).toBe(FAKE_SIZE);
    await Promise.all(held);
    second.socket.destroy();
  });
});
