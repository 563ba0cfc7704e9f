import { expect, it } from "vitest";

import { proxyBefore } from "./support/proxy-before.ts";
import { requires } from "./support/requires.ts";
import { stoppableNbdServer } from "./support/stoppable-servers.ts";
import { VerifiedLoad } from "./support/verified-load.ts";

const SIZE = 2 * 1024 * 1024;

requires("nbd-server", "fio")("a child of nbd-server that stops for good", () => {
  it("is given up for the connection beside it, and the client sees no error and no wrong byte", async () => {
    const server = await stoppableNbdServer(SIZE);
    const { uri, exportName, imagePath } = server;
    const proxy = await proxyBefore([uri], { exportName, args: ["--upstream-timeout", "2"] });
    const load = await VerifiedLoad.start({
      uri: proxy.uri,
      imagePath,
      sizeBytes: SIZE,
      blocksPerSecond: 200,
      loops: 2,
    });

    await server.signal("SIGSTOP");
    await proxy.process.untilStderr(/:W:.*connected again/);
    load.expectStillRunning();
    await load.expectCleanEnd();

    // Ten more seconds of patience, since the silence might have been a slow disk.
    expect(proxy.process.stderr).toMatch(/silent while requests wait[^]*connection lost: silent for another 10 s/);
    expect(proxy.process.stderr.match(/connection lost/g)).toHaveLength(1);
    expect(proxy.process.stderr).not.toMatch(/:[EF]:/);
    expect(await proxy.process.stop()).toEqual({ status: 0, signal: null });
  });
});
