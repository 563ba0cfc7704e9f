import { truncate } from "node:fs/promises";
import { expect, it } from "vitest";

import { newEndpoint, proxyTo } from "./support/chain.ts";
import { startNbdkit } from "./support/nbdkit-server.ts";
import { PlainClient } from "./support/plain-client.ts";
import { randomFile } from "./support/random-file.ts";
import { requires } from "./support/requires.ts";

const SIZE = 1024 * 1024;

requires("nbdkit")("when another disk comes back in the place of its server's, the proxy", () => {
  it("sends it nothing and goes on waiting for the right one", async () => {
    const { path, bytes } = await randomFile(SIZE);
    const endpoint = await newEndpoint("unix");
    const server = await startNbdkit({ plugin: ["file", path], endpoint });
    const proxy = await proxyTo(server);
    const client = await PlainClient.connect(proxy.endpoint);
    await server.stop("SIGKILL");
    let answers = 0;
    const written = client.write(0, Buffer.alloc(4096, 7)).then(() => answers++);
    const read = client.read(SIZE - 4096, 4096).finally(() => answers++);

    await truncate(path, SIZE / 2);
    await server.start();
    await proxy.process.untilStderr(/:W:.*its size is 524288 bytes, not 1048576; trying on/);
    expect(answers).toBe(0);
    await server.stop("SIGKILL");

    const other = await randomFile(SIZE);
    const readOnly = await startNbdkit({ plugin: ["file", other.path], readOnly: true, endpoint });
    await proxy.process.untilStderr(/:W:.*it is read-only now; trying on/);
    expect(answers).toBe(0);
    await readOnly.stop("SIGKILL");

    await truncate(path, SIZE);
    await server.start();
    await written;
    // The second half went away with the truncation.
    expect((await read).equals(Buffer.alloc(4096))).toBe(true);
    expect(
      (await client.read(0, 8192)).equals(Buffer.concat([Buffer.alloc(4096, 7), bytes.subarray(4096, 8192)])),
    ).toBe(true);
    await client.disconnect();
  });
});
