import { expect, it } from "vitest";

import { BITMAP, BITMAP_CONTEXT, bitmapImage } from "./support/bitmap-image.ts";
import { proxyTo } from "./support/chain.ts";
import { NbdshSession } from "./support/nbdsh-session.ts";
import { startQemuNbd } from "./support/qemu-nbd-server.ts";
import { requires } from "./support/requires.ts";
import { run } from "./support/run.ts";

const CONNECT = `
h.add_meta_context("${BITMAP_CONTEXT}")
h.connect_uri(uri)
`;
const SHOW = `
def extents(context, offset, entries, error): print(context, offset, entries)
h.block_status(h.get_size(), 0, extents)
`;

requires(
  "qemu-nbd",
  "qemu-img",
  "nbdinfo",
  "nbdsh",
)("a server that comes back without its dirty bitmap", () => {
  it("is refused as long as a client uses that, and the client waits for the right one", async () => {
    const path = await bitmapImage();
    const options = { path, format: "qcow2", readOnly: true };
    const server = await startQemuNbd({ ...options, args: [`--bitmap=${BITMAP}`] });
    const proxy = await proxyTo(server);
    const session = await NbdshSession.start(proxy.uri);
    await session.run(CONNECT);
    const shown = await session.run(SHOW);

    await server.stop("SIGKILL");
    const again = session.begin(SHOW);
    const other = await startQemuNbd({ ...options, endpoint: server.endpoint });
    await proxy.process.untilStderr(new RegExp(`can't connect: .*${BITMAP_CONTEXT}`));
    expect(session.isBusy).toBe(true);
    await other.stop();
    await server.start();
    expect(await again()).toBe(shown);
    expect(proxy.process.stderr).toMatch(/connected again/);
  });

  it.each([
    ["nobody is there", undefined],
    ["a client is there that does not use it", "h.connect_uri(uri)"],
  ])("is taken as it is when %s", async (_who, connect) => {
    const path = await bitmapImage();
    const options = { path, format: "qcow2", readOnly: true };
    const server = await startQemuNbd({ ...options, args: [`--bitmap=${BITMAP}`] });
    const proxy = await proxyTo(server, { args: ["--max-clients=8"] });
    const session = await NbdshSession.start(proxy.uri);
    if (connect !== undefined) await session.run(connect);
    expect(await run("nbdinfo", proxy.uri)).toContain(BITMAP_CONTEXT);

    await server.stop("SIGKILL");
    const other = await startQemuNbd({ ...options, endpoint: server.endpoint });
    await proxy.process.untilStderr(/connected again/);
    const info = await run("nbdinfo", proxy.uri);
    expect(info).toContain("base:allocation");
    expect(info).not.toContain(BITMAP_CONTEXT);
    if (connect !== undefined) expect(await session.run("print(h.pread(4, 2 * 1024 * 1024))")).toContain("2222");

    // And it is there again for those who come later.
    await other.stop("SIGKILL");
    await server.start();
    await proxy.process.until("to be back", () => proxy.process.stderr.match(/connected again/g)?.length === 2);
    expect(await run("nbdinfo", `--map=${BITMAP_CONTEXT}`, proxy.uri)).toContain("dirty");
  });
});
