import { expect, it } from "vitest";

import * as wire from "../simulation/wire.ts";
import { newEndpoint, proxyTo } from "./support/chain.ts";
import { startNbdkit } from "./support/nbdkit-server.ts";
import { PlainClient } from "./support/plain-client.ts";
import { requires } from "./support/requires.ts";
import { until } from "./support/until.ts";

const HOLD_MS = 600;
const READ = { command: wire.READ, offset: 0, length: 512 };

requires("nbdkit")("with a hold timeout, the proxy", () => {
  it("answers EIO when it has passed, and works again when the server is back", async () => {
    const server = await startNbdkit({ plugin: ["memory", "1M"], endpoint: await newEndpoint("unix") });
    const proxy = await proxyTo(server, { args: ["--hold-timeout", `${HOLD_MS}ms`] });
    const client = await PlainClient.connect(proxy.endpoint);
    await client.read(0, 512);

    const stoppedAtMs = performance.now();
    await server.stop("SIGKILL");
    const held = client.request({ command: wire.WRITE, payload: Buffer.alloc(512) });
    expect((await held).error).toBe(wire.EIO);
    expect(performance.now() - stoppedAtMs).toBeGreaterThan(HOLD_MS);
    expect(proxy.process.stderr).toMatch(/:E:.*no server for 0\.6 s/);
    // New requests are not held any more, and a new client gets the same.
    expect((await client.request(READ)).error).toBe(wire.EIO);
    await client.disconnect();
    const next = await PlainClient.connect(proxy.endpoint);
    expect((await next.request(READ)).error).toBe(wire.EIO);

    await server.start();
    await until("the proxy has the server back", async () => (await next.request(READ)).error === 0);
    await next.disconnect();
  });
});
