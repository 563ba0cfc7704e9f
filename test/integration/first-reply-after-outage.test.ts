import { setTimeout as delay } from "node:timers/promises";
import { expect, it } from "vitest";

import { newEndpoint, proxyTo } from "./support/chain.ts";
import { startNbdkit } from "./support/nbdkit-server.ts";
import { PlainClient } from "./support/plain-client.ts";
import { requires } from "./support/requires.ts";

const OUTAGES_MS = [100, 350, 800, 1500];
/** What is aimed at is 500 ms; a machine that does other things as well gets more. */
const BOUND_MS = 2000;

requires("nbdkit")("when its server is back, the proxy", () => {
  it.each(["tcp", "unix"] as const)("has the first reply soon (%s)", async (kind) => {
    const server = await startNbdkit({ plugin: ["memory", "1M"], endpoint: await newEndpoint(kind) });
    const proxy = await proxyTo(server, { kind });
    const client = await PlainClient.connect(proxy.endpoint);
    const delaysMs: number[] = [];
    for (const outageMs of OUTAGES_MS) {
      await client.read(0, 4096);
      await server.stop("SIGKILL");
      const answered = client.read(0, 4096).then(() => performance.now());
      await delay(outageMs);
      await server.start();
      const listensAtMs = performance.now();
      delaysMs.push(Math.max(0, Math.round((await answered) - listensAtMs)));
    }
    console.log(`first reply after the server listens again (${kind}): ${delaysMs.join(", ")} ms`);
    expect(Math.max(...delaysMs)).toBeLessThan(BOUND_MS);
    await client.disconnect();
  });
});
