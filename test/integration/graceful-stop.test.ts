import { access, readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";

import * as wire from "../simulation/wire.ts";
import { newEndpoint, proxyTo } from "./support/chain.ts";
import { FakeServer } from "./support/fake-server.ts";
import { startNbdkit } from "./support/nbdkit-server.ts";
import { PlainClient } from "./support/plain-client.ts";
import { randomFile } from "./support/random-file.ts";
import { requires } from "./support/requires.ts";
import { until } from "./support/until.ts";

describe("a signal", () => {
  it.each(["SIGTERM", "SIGINT", "SIGQUIT"] as const)(
    "makes the proxy take its leave of the server (%s)",
    async (signal) => {
      const server = await FakeServer.start(await newEndpoint("unix"));
      const proxy = await proxyTo(server);
      const client = await PlainClient.connect(proxy.endpoint);
      await client.read(0, 512);
      expect(await proxy.process.stop(signal)).toEqual({ status: 0, signal: null });
      await client.closed();
      expect(proxy.process.stderr).toBe("");
      expect(server.commands).toEqual([wire.READ, wire.FLUSH, wire.DISC]);
      if (proxy.endpoint.kind === "unix") await expect(access(proxy.endpoint.path)).rejects.toThrow("ENOENT");
    },
  );

  it("ends a proxy whose server is away, and tells that the last FLUSH is missing", async () => {
    const server = await FakeServer.start(await newEndpoint("unix"));
    const proxy = await proxyTo(server);
    const client = await PlainClient.connect(proxy.endpoint);
    await client.write(0, Buffer.alloc(512));
    await server.stop();
    await proxy.process.untilStderr(/can't connect/);
    expect((await proxy.process.stop()).signal).toBeNull();
    expect(proxy.process.stderr).toMatch(/:W:.*did not confirm a last FLUSH/);
  });

  it("ends it at once when it is the second", async () => {
    // Nothing is ever answered, so that the first signal alone would mean a long wait.
    const server = await FakeServer.start(await newEndpoint("unix"), { answer: () => true });
    const proxy = await proxyTo(server, { args: ["--verbose"] });
    const client = await PlainClient.connect(proxy.endpoint);
    client.read(0, 512).catch(() => undefined);
    await until("the request is at the server", () => server.commands.length === 1);
    proxy.process.signal("SIGTERM");
    await proxy.process.untilStderr(/SIGTERM: stopping/);
    expect(proxy.process.outcome).toBeUndefined();
    const startMs = performance.now();
    expect(await proxy.process.stop("SIGTERM")).toEqual({ status: 1, signal: null });
    expect(performance.now() - startMs).toBeLessThan(5000);
  });
});

requires("nbdkit")("a signal with requests in flight", () => {
  it("lets them finish first", async () => {
    const { path } = await randomFile(64 * 1024);
    const plugin = ["file", path, "wdelay=1", "rdelay=1"];
    const server = await startNbdkit({ plugin, filters: ["delay"], endpoint: await newEndpoint("unix") });
    const proxy = await proxyTo(server, { args: ["--verbose"] });
    const client = await PlainClient.connect(proxy.endpoint);
    const order: string[] = [];
    const written = client.write(4096, Buffer.alloc(4096, 9)).then(() => order.push("written"));
    const read = client.read(0, 512).then(() => order.push("read"));
    // The proxy answers what it gets in the order in which it gets it, so it has had both by then.
    expect((await client.request({ command: 99 })).error).toBe(wire.EINVAL);
    proxy.process.signal("SIGTERM");
    await proxy.process.untilStderr(/SIGTERM: stopping/);
    expect(order).toEqual([]);
    expect(await proxy.process.exited()).toEqual({ status: 0, signal: null });
    await Promise.all([written, read]);
    expect(order.toSorted()).toEqual(["read", "written"]);
    expect((await readFile(path)).subarray(4096, 8192).equals(Buffer.alloc(4096, 9))).toBe(true);
  });
});
