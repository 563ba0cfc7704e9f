import { connect } from "node:net";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import { diskImage } from "./support/disk-image.ts";
import { LONG_TESTS } from "./support/long-tests.ts";
import { startNbdkit } from "./support/nbdkit-server.ts";
import { proxyBefore } from "./support/proxy-before.ts";
import { requires } from "./support/requires.ts";
import { RawPeer } from "./support/raw-peer.ts";
import { scratchFolder } from "./support/scratch-folder.ts";
import { until } from "./support/until.ts";
import { VerifiedLoad } from "./support/verified-load.ts";

const SIZE = 2 * 1024 * 1024;
/** Two attempts beside the silent connection, ten seconds each, and a good deal more for a busy machine. */
const GIVEN_UP_MS = 60_000;

const suite = LONG_TESTS ? requires("nbdkit", "fio") : describe.skip;

suite("a server that hangs, and greets nobody else while it has a client", () => {
  it("gets a new connection when it goes on, and the client sees no error and no wrong byte", async () => {
    const imagePath = await diskImage(SIZE);
    const control = join(await scratchFolder(), "control");
    const server = await startNbdkit({
      filters: ["noparallel", "pause"],
      plugin: ["file", imagePath, "serialize=connections", `pause-control=${control}`],
    });
    const hand = new RawPeer(connect(control));
    const proxy = await proxyBefore([server.uri], { args: ["--upstream-timeout", "2"] });
    const load = await VerifiedLoad.start({
      uri: proxy.uri,
      imagePath,
      sizeBytes: SIZE,
      blocksPerSecond: 200,
      loops: 2,
    });

    hand.socket.write("p");
    expect((await hand.take(1)).toString()).toBe("P");
    await until("it gives up", () => proxy.process.stderr.includes("greets nobody else"), GIVEN_UP_MS);
    load.expectStillRunning();
    hand.socket.write("r");
    await proxy.process.untilStderr(/:W:.*connected again/);
    await load.expectCleanEnd();

    expect(proxy.process.stderr).toMatch(
      /silent while requests wait[^]*connection lost: silent, and the server greets/,
    );
    expect(proxy.process.stderr.match(/connection lost/g)).toHaveLength(1);
    expect(proxy.process.stderr).not.toMatch(/:[EF]:/);
    expect(await proxy.process.stop()).toEqual({ status: 0, signal: null });
  }, 120_000);
});
