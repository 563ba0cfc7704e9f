import { expect, it } from "vitest";

import { diskImage } from "./support/disk-image.ts";
import { fileHolders } from "./support/file-holders.ts";
import { startNbdServer } from "./support/nbd-server-server.ts";
import { startNbdkit } from "./support/nbdkit-server.ts";
import { OldStyleClient } from "./support/old-style-client.ts";
import { proxyBefore } from "./support/proxy-before.ts";
import { requires } from "./support/requires.ts";

const PATIENCE = ["--upstream-timeout", "1", "--handshake=oldstyle"];
const SILENT = /:W:.*silent while requests wait/;

requires("nbdkit", "nbd-server")("--idle-ping", () => {
  it("notices a server that hangs though nobody asks it anything", async () => {
    const server = await startNbdkit({ plugin: ["memory", "1M"] });
    const pinging = await proxyBefore([server.uri], { args: [...PATIENCE, "--idle-ping", "500ms"] });
    const trusting = await proxyBefore([server.uri], { args: PATIENCE });

    server.signal("SIGSTOP");
    await pinging.process.untilStderr(SILENT);
    expect(trusting.process.stderr).toBe("");
    server.signal("SIGCONT");
    await pinging.process.untilStderr(/heard again/);

    const client = await OldStyleClient.connect(pinging.endpoint);
    await client.read(0, 512);
    await client.disconnect();
    expect(pinging.process.stderr).not.toContain("connection lost");
  });

  it("has the next connection ready when the one in use dies", async () => {
    const path = await diskImage(1024 * 1024);
    const server = await startNbdServer({ path });
    const proxy = await proxyBefore([server.uri], { args: [...PATIENCE, "--idle-ping", "500ms"], exportName: "disk" });

    const [inUse] = await fileHolders(path);
    if (inUse === undefined) throw new Error("nobody serves the disk");
    process.kill(inUse, "SIGSTOP");
    await proxy.process.untilStderr(SILENT);
    await proxy.process.until("to connect beside it", async () => (await fileHolders(path)).length === 2);
    process.kill(inUse, "SIGKILL");
    await proxy.process.untilStderr(/connected again/);
    expect(await fileHolders(path)).toHaveLength(1);
  });
});
