import { expect, it } from "vitest";

import { newEndpoint, proxyTo } from "./support/chain.ts";
import { startNbdkit } from "./support/nbdkit-server.ts";
import { PlainClient } from "./support/plain-client.ts";
import { randomFile } from "./support/random-file.ts";
import { requires } from "./support/requires.ts";
import { run } from "./support/run.ts";

const SIZE = 1024 * 1024;

requires("nbdkit", "nbdinfo")("during an outage, the proxy", () => {
  it("greets a client that comes, and serves it when the server is back", async () => {
    const { path, bytes } = await randomFile(SIZE);
    const server = await startNbdkit({ plugin: ["file", path], endpoint: await newEndpoint("unix") });
    const proxy = await proxyTo(server);
    await server.stop("SIGKILL");
    await proxy.process.untilStderr(/connection lost/);

    expect(await run("nbdinfo", "--size", proxy.uri)).toBe(`${SIZE}\n`);
    const client = await PlainClient.connect(proxy.endpoint);
    expect(client.sizeBytes).toBe(SIZE);
    let serverIsBack = false;
    const answered = client.read(4096, 512).then((data) => ({ data, serverIsBack }));
    const written = client.write(0, Buffer.alloc(512, 1));
    await proxy.process.untilStderr(/can't connect/);
    serverIsBack = true;
    await server.start();
    const { data, serverIsBack: wasBack } = await answered;
    expect(wasBack).toBe(true);
    expect(data.equals(bytes.subarray(4096, 4608))).toBe(true);
    await written;
    expect((await client.read(0, 512)).equals(Buffer.alloc(512, 1))).toBe(true);
    await client.disconnect();
  });
});
