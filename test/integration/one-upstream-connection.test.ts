import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";

import { newEndpoint, proxyTo } from "./support/chain.ts";
import { startNbdkit } from "./support/nbdkit-server.ts";
import { requires } from "./support/requires.ts";
import { run } from "./support/run.ts";
import { scratchFolder } from "./support/scratch-folder.ts";

requires(
  "nbdkit",
  "nbdinfo",
  "qemu-io",
)("one connection to the server", () => {
  it("serves one client after the other, and ends with a DISC", async () => {
    const log = join(await scratchFolder(), "log");
    const plugin = ["memory", "1M", `logfile=${log}`];
    const server = await startNbdkit({ plugin, filters: ["log"], endpoint: await newEndpoint("unix") });
    const proxy = await proxyTo(server);
    for (let turn = 0; turn < 3; turn++) {
      await run("nbdinfo", proxy.uri);
      await run("qemu-io", "-f", "raw", "-c", `write -P ${turn + 1} 0 64k`, proxy.uri);
      await run("qemu-io", "-f", "raw", "-c", `read -P ${turn + 1} 0 64k`, proxy.uri);
    }
    await proxy.process.stop();
    // nbdkit writes this line only when it was told, or saw, that the client leaves.
    await server.stop();
    const lines = await readFile(log, "utf8");
    expect(lines.match(/ Connect export=""/g)).toHaveLength(1);
    expect(lines.match(/ Disconnect /g)).toHaveLength(1);
    expect(lines.match(/ Write id=/g)).toHaveLength(3);
    expect(lines).not.toContain("connection=2");
  });
});
