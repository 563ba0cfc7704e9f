import { expect, it } from "vitest";

import { newEndpoint, proxyTo } from "./support/chain.ts";
import { startNbdkit } from "./support/nbdkit-server.ts";
import { PlainClient } from "./support/plain-client.ts";
import { requires } from "./support/requires.ts";

const READS = 64;
const DELAY_MS = 100;
/** What is aimed at is 250 ms; one after the other they take 6400 ms. */
const BOUND_MS = 1000;

requires("nbdkit")("before a slow server, the proxy", () => {
  it.each(["tcp", "unix"] as const)("has many reads under way at once (%s)", async (kind) => {
    // nbdkit works on 16 requests of a connection at once unless told otherwise.
    const plugin = [`--threads=${READS}`, "memory", "1M", `rdelay=${DELAY_MS}ms`];
    const server = await startNbdkit({ plugin, filters: ["delay"], endpoint: await newEndpoint(kind) });
    const proxy = await proxyTo(server, { kind });
    const client = await PlainClient.connect(proxy.endpoint);
    const startMs = performance.now();
    await Promise.all(Array.from({ length: READS }, (_, index) => client.read(index * 4096, 4096)));
    const tookMs = Math.round(performance.now() - startMs);
    console.log(`${READS} reads of 4 KiB, each delayed by ${DELAY_MS} ms (${kind}): ${tookMs} ms`);
    expect(tookMs).toBeGreaterThanOrEqual(DELAY_MS);
    expect(tookMs).toBeLessThan(BOUND_MS);
    await client.disconnect();
  });
});
