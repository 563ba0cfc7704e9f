import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";

import { lateNbdServer } from "./support/late-servers.ts";
import type { LateNbdServer } from "./support/late-servers.ts";
import { PlainClient } from "./support/plain-client.ts";
import { proxyBefore } from "./support/proxy-before.ts";
import type { ProxyBefore } from "./support/proxy-before.ts";
import { requires } from "./support/requires.ts";
import { TaggedLoad } from "./support/tagged-load.ts";

const BLOCKS = 128;
const SIZE = BLOCKS * 4096;
/** Many times what it takes to write every block again, and short enough to wait for. */
const PIN_S = 10;

interface Overtaken {
  readonly server: LateNbdServer;
  readonly proxy: ProxyBefore;
  readonly load: TaggedLoad;
}

/** Has a child of nbd-server stop under load and given up by the proxy; all that it still has is overwritten, and flushed. */
async function overtaken(pinS: number): Promise<Overtaken> {
  const server = await lateNbdServer(SIZE);
  const { uri, exportName } = server;
  const args = ["--verbose", "--upstream-timeout", "1", "--pin", String(pinS)];
  const proxy = await proxyBefore([uri], { exportName, args });
  const load = new TaggedLoad(await PlainClient.connect(proxy.endpoint, exportName), BLOCKS);
  await load.untilRewritten();

  await server.hold();
  await server.untilHeld(1);
  await proxy.process.untilStderr(/:W:.*connected again/);
  // Not before: the child's answer to a read would have its connection cut, perhaps before it executes a write.
  load.startReading();
  await load.untilRewritten();
  await load.pauseWriting();
  expect((await readFile(server.imagePath)).equals(load.content)).toBe(true);
  return { server, proxy, load };
}

requires("nbd-server")("a child of nbd-server that was given up under load and goes on", () => {
  it("does damage without the pin", async () => {
    const { server, proxy, load } = await overtaken(0);

    await server.release();
    await server.untilHeldChildEnds();
    await load.checkAll();
    await load.end();

    expect(load.wrong.length).toBeGreaterThan(0);
    expect((await readFile(server.imagePath)).equals(load.content)).toBe(false);
    expect(proxy.process.stderr.match(/connection lost/g)).toHaveLength(1);
    expect(proxy.process.stderr).not.toMatch(/:[EF]:/);
  });

  it("does none with the pin, neither while it lasts nor afterwards", async () => {
    const { server, proxy, load } = await overtaken(PIN_S);

    await server.release();
    await server.untilHeldChildEnds();
    // It has been at work, or there would be nothing to be safe from.
    expect((await readFile(server.imagePath)).equals(load.content)).toBe(false);
    await load.checkAll();
    load.resumeWriting();
    await load.untilRewritten();
    await proxy.process.untilStderr(/:I:.*pin ended/);
    await load.untilRewritten();
    await load.end();
    await load.checkAll();

    expect(load.wrong).toEqual([]);
    expect((await readFile(server.imagePath)).equals(load.content)).toBe(true);
    expect(await proxy.process.stop()).toEqual({ status: 0, signal: null });
    expect(proxy.process.stderr.match(/connection lost/g)).toHaveLength(1);
    expect(proxy.process.stderr).not.toMatch(/:[EF]:/);
    expect((await readFile(server.imagePath)).equals(load.content)).toBe(true);
  });
});
