import { setTimeout as delay } from "node:timers/promises";
import { expect, it } from "vitest";

import { proxyBefore } from "./support/proxy-before.ts";
import { requires } from "./support/requires.ts";
import { STOPPABLE_SERVERS } from "./support/stoppable-servers.ts";
import { VerifiedLoad } from "./support/verified-load.ts";

const SIZE = 2 * 1024 * 1024;
const TIMEOUT_S = 2;

requires(
  "nbdkit",
  "qemu-nbd",
  "nbd-server",
  "fio",
)("a server that stops for twice the upstream timeout and goes on", () => {
  it.each(STOPPABLE_SERVERS)(
    "keeps its connection, and the client sees no error and no wrong byte: %s",
    async (_, start) => {
      const server = await start(SIZE);
      const { uri, exportName, imagePath } = server;
      const proxy = await proxyBefore([uri], { exportName, args: ["--upstream-timeout", String(TIMEOUT_S)] });
      const load = await VerifiedLoad.start({
        uri: proxy.uri,
        imagePath,
        sizeBytes: SIZE,
        blocksPerSecond: 200,
        loops: 2,
      });

      await server.signal("SIGSTOP");
      await delay(2 * TIMEOUT_S * 1000);
      load.expectStillRunning();
      expect(proxy.process.stderr).toMatch(/:W:.*silent while requests wait/);
      await server.signal("SIGCONT");

      await proxy.process.untilStderr(/:W:.*heard again/);
      await load.expectCleanEnd();
      expect(proxy.process.stderr).not.toMatch(/connection lost|:[EF]:/);
      expect(await proxy.process.stop()).toEqual({ status: 0, signal: null });
    },
  );
});
