import { describe, expect, it } from "vitest";

import * as wire from "../simulation/wire.ts";
import { newEndpoint, proxyTo } from "./support/chain.ts";
import { FakeServer } from "./support/fake-server.ts";
import { PlainClient, connectTo } from "./support/plain-client.ts";

describe("a client that says half a hello and then nothing", () => {
  it("loses its place after the handshake's deadline", async () => {
    const server = await FakeServer.start(await newEndpoint("unix"));
    const proxy = await proxyTo(server);
    const silent = connectTo(proxy.endpoint).resume();
    silent.write(Buffer.concat([wire.u32(3), Buffer.from("IHAVE")]));
    const startMs = performance.now();
    const next = await PlainClient.connect(proxy.endpoint);
    expect(performance.now() - startMs).toBeGreaterThan(9_000);
    await next.read(0, 512);
    await next.disconnect();
    expect(proxy.process.stderr).toMatch(/:W:.*negotiation failed: .*; hanging up/);
  });
});
