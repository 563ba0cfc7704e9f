import { setTimeout as delay } from "node:timers/promises";
import { expect, it } from "vitest";

import { diskImage } from "./support/disk-image.ts";
import { LONG_TESTS } from "./support/long-tests.ts";
import { OldStyleClient } from "./support/old-style-client.ts";
import { TwoHosts, requiresTwoHosts } from "./support/two-hosts.ts";
import { VerifiedLoad } from "./support/verified-load.ts";

const SIZE = 2 * 1024 * 1024;
const CUT_MS = LONG_TESTS ? 20_000 : 6000;
const FIRST_REPLY_MS = 15_000;
/** Long enough for the kernel to heal the old connection, and short enough for another one to be tried beside it. */
const TIMEOUTS_S = LONG_TESTS ? [30, 2] : [2];

requiresTwoHosts("fio")(`a network that drops everything for ${CUT_MS / 1000} s`, () => {
  it.each(TIMEOUTS_S)(
    "costs the client time and nothing else (--upstream-timeout %d)",
    async (timeoutS) => {
      const imagePath = await diskImage(SIZE);
      const hosts = await TwoHosts.create();
      await hosts.startServer(imagePath);
      const args = ["--upstream-timeout", String(timeoutS), "--max-clients=2", "--handshake=oldstyle"];
      const proxy = await hosts.startProxy(...args);
      const watcher = await OldStyleClient.connect(proxy.endpoint);
      await watcher.read(0, 4096);
      const load = await VerifiedLoad.start({
        uri: proxy.uri,
        imagePath,
        sizeBytes: SIZE,
        blocksPerSecond: 200,
        loops: 2,
      });

      await hosts.cut();
      const answered = watcher.read(0, 4096).then(() => performance.now());
      await delay(CUT_MS);
      load.expectStillRunning();
      if (timeoutS * 1000 < CUT_MS) expect(proxy.process.stderr).toMatch(/:W:.*silent while requests wait/);
      await hosts.mend();
      const mendedMs = performance.now();
      const firstReplyMs = (await answered) - mendedMs;
      console.log(`first reply ${Math.round(firstReplyMs)} ms after the network is back (timeout ${timeoutS} s)`);
      expect(firstReplyMs).toBeGreaterThan(0);
      expect(firstReplyMs).toBeLessThan(FIRST_REPLY_MS);

      await load.expectCleanEnd();
      expect(proxy.process.stderr).not.toMatch(/:[EF]:/);
      await watcher.disconnect();
      expect(await proxy.process.stop()).toEqual({ status: 0, signal: null });
    },
    90_000,
  );
});
