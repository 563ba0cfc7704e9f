import { setTimeout as delay } from "node:timers/promises";
import { expect, it } from "vitest";

import { diskImage } from "./support/disk-image.ts";
import { fileHolders } from "./support/file-holders.ts";
import { startNbdkit } from "./support/nbdkit-server.ts";
import { OldStyleClient } from "./support/old-style-client.ts";
import { proxyBefore } from "./support/proxy-before.ts";
import { requires } from "./support/requires.ts";

requires("nbdkit")("of several --upstream to one storage, the proxy", () => {
  it("uses the first; when it dies the second, which it keeps while it works", async () => {
    const path = await diskImage(1024 * 1024);
    const preferred = await startNbdkit({ plugin: ["file", path] });
    const other = await startNbdkit({ plugin: ["file", path] });
    const proxy = await proxyBefore([preferred.uri, other.uri], { args: ["--handshake=oldstyle"] });
    const client = await OldStyleClient.connect(proxy.endpoint);
    const content = (round: number): Buffer => Buffer.alloc(4096, round);
    const wrote = async (round: number): Promise<void> => {
      await client.write(round * 4096, content(round));
      for (let before = 1; before <= round; before += 1) {
        expect((await client.read(before * 4096, 4096)).equals(content(before))).toBe(true);
      }
    };
    // An nbdkit has the file open for as long as it has a client.
    const inUse = async (): Promise<number> => (await fileHolders(path)).length;

    await wrote(1);
    await preferred.stop("SIGKILL");
    await wrote(2);
    expect(await inUse()).toBe(1);

    // The preferred one is there again, and stays without a client: a change for nothing would only be a risk.
    await preferred.start();
    await wrote(3);
    await delay(500);
    await wrote(4);
    expect(proxy.process.stderr.match(/connected again/g)).toHaveLength(1);

    await other.stop("SIGKILL");
    await wrote(5);
    expect(proxy.process.stderr.match(/connected again/g)).toHaveLength(2);
    await client.disconnect();
  });

  it("starts with the second when the first is not there", async () => {
    const path = await diskImage(1024 * 1024);
    const preferred = await startNbdkit({ plugin: ["file", path] });
    await preferred.stop();
    const other = await startNbdkit({ plugin: ["file", path] });
    const proxy = await proxyBefore([preferred.uri, other.uri], { args: ["--handshake=oldstyle"] });
    const client = await OldStyleClient.connect(proxy.endpoint);
    await client.write(0, Buffer.alloc(512, 1));
    await client.disconnect();
  });
});
