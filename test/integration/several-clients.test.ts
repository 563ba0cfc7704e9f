import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";

import { startNbdkit } from "./support/nbdkit-server.ts";
import { OldStyleClient } from "./support/old-style-client.ts";
import { proxyBefore } from "./support/proxy-before.ts";
import { RawPeer } from "./support/raw-peer.ts";
import { requires } from "./support/requires.ts";
import { run } from "./support/run.ts";
import { scratchFolder } from "./support/scratch-folder.ts";

const SIZE = 48 * 1024 * 1024;
const FOUR = "--max-clients=4";

requires(
  "nbdkit",
  "nbdcopy",
  "nbdinfo",
)("--max-clients 4", () => {
  it("lets nbdcopy copy in and out over four connections at once, byte for byte", async () => {
    const folder = await scratchFolder();
    const [source, image, copy] = [join(folder, "source"), join(folder, "image"), join(folder, "copy")];
    const content = randomBytes(SIZE);
    await writeFile(source, content);
    await writeFile(image, Buffer.alloc(SIZE));
    const server = await startNbdkit({ plugin: ["file", image] });
    const proxy = await proxyBefore([server.uri], { args: [FOUR, "--verbose"] });

    // It opens no more connections than it has threads.
    const four = ["--connections=4", "--threads=4", "--requests=16"];
    await run("nbdcopy", ...four, "--flush", source, proxy.uri);
    expect(content.equals(await readFile(image))).toBe(true);
    await run("nbdcopy", ...four, proxy.uri, copy);
    expect(content.equals(await readFile(copy))).toBe(true);

    // It would make do with a single one.
    const log = proxy.process.stderr;
    expect(log.match(/client .*: attached/g)?.length).toBeGreaterThanOrEqual(8);
    expect(log).not.toContain("waits for its turn");
  });

  it("offers several connections for one disk, and without it the proxy does not", async () => {
    const server = await startNbdkit({ plugin: ["memory", "1M"] });
    const four = await proxyBefore([server.uri], { args: [FOUR] });
    const one = await proxyBefore([server.uri]);
    expect(await run("nbdinfo", server.uri)).toContain("can_multi_conn: true");
    expect(await run("nbdinfo", four.uri)).toContain("can_multi_conn: true");
    expect(await run("nbdinfo", one.uri)).toContain("can_multi_conn: false");
  });

  it("serves four at once, and the fifth when one of them leaves", async () => {
    const server = await startNbdkit({ plugin: ["memory", "1M"] });
    const proxy = await proxyBefore([server.uri], { kind: "tcp", args: [FOUR, "--verbose", "--handshake=oldstyle"] });
    const clients = await Promise.all(Array.from({ length: 4 }, () => OldStyleClient.connect(proxy.endpoint)));
    await Promise.all(clients.map((client, index) => client.write(index * 512, Buffer.alloc(512, index + 1))));

    const fifth = RawPeer.connect(proxy.endpoint);
    await proxy.process.untilStderr(/waits for its turn/);
    let greeted = false;
    const hello = fifth.take(152).then((bytes) => {
      greeted = true;
      return bytes;
    });
    // What one has written all others see; and each is answered while the fifth waits.
    for (const client of clients) {
      const read = await client.read(0, 4 * 512);
      expect([0, 1, 2, 3].map((index) => read[index * 512])).toEqual([1, 2, 3, 4]);
    }
    expect(greeted).toBe(false);

    await clients[2]?.disconnect();
    expect(await hello).toHaveLength(152);
    const closed = once(fifth.socket, "close");
    fifth.socket.destroy();
    await closed;
  });
});
