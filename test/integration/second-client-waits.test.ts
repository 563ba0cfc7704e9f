import { once } from "node:events";
import { describe, expect, it } from "vitest";

import { newEndpoint, proxyTo } from "./support/chain.ts";
import { FakeServer } from "./support/fake-server.ts";
import { PlainClient, connectTo } from "./support/plain-client.ts";

describe("a second client", () => {
  it.each(["tcp", "unix"] as const)("waits without a hello, and is served when the first leaves (%s)", async (kind) => {
    const server = await FakeServer.start(await newEndpoint(kind));
    const proxy = await proxyTo(server, { kind, args: ["--verbose"] });
    const first = await PlainClient.connect(proxy.endpoint);

    const second = PlainClient.connect(proxy.endpoint);
    await proxy.process.untilStderr(/waits for its turn/);
    let heard = 0;
    const third = connectTo(proxy.endpoint).on("data", (bytes) => (heard += bytes.length));
    await proxy.process.untilStderr(/waits for its turn[^]*waits for its turn/);
    // The first goes on undisturbed.
    await first.read(0, 4096);

    const leaving = first.disconnect();
    const served = await second;
    await leaving;
    await served.read(0, 4096);
    expect(heard).toBe(0);

    // One that vanishes leaves its place as well.
    served.socket.destroy();
    await once(third, "data");
    expect(heard).toBe(18);
    expect(server.connections).toBe(1);
  });

  it("is served in its turn though others who waited have left", async () => {
    const server = await FakeServer.start(await newEndpoint("unix"));
    const proxy = await proxyTo(server, { args: ["--verbose"] });
    const first = await PlainClient.connect(proxy.endpoint);
    const impatient = Array.from({ length: 20 }, () => connectTo(proxy.endpoint));
    await proxy.process.until(
      "to let 20 clients wait",
      () => proxy.process.stderr.split("waits for its turn").length > 20,
    );
    const patient = PlainClient.connect(proxy.endpoint);
    for (const socket of impatient) socket.destroy();
    await first.disconnect();
    await (await patient).read(0, 512);
  });
});
