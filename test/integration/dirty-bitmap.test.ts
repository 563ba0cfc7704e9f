import { expect, it } from "vitest";

import { BITMAP, BITMAP_CONTEXT, bitmapImage } from "./support/bitmap-image.ts";
import { proxyTo } from "./support/chain.ts";
import { NbdshSession } from "./support/nbdsh-session.ts";
import { startQemuNbd } from "./support/qemu-nbd-server.ts";
import { requires } from "./support/requires.ts";
import { run } from "./support/run.ts";

const CONTEXTS = ["base:allocation", "qemu:allocation-depth", BITMAP_CONTEXT];

const DIRTY = `         0     2097152    0  clean
   2097152       65536    1  dirty
   2162688     3080192    0  clean
   5242880      131072    1  dirty
   5373952     7208960    0  clean
  12582912     1048576    1  dirty
  13631488     3145728    0  clean
`;

/** What a client of libnbd finds in all contexts. */
const CONNECT = `
for name in ${JSON.stringify(CONTEXTS)}: h.add_meta_context(name)
h.connect_uri(uri)
`;
const SHOW = `
def extents(context, offset, entries, error): print(context, offset, entries)
h.block_status(h.get_size(), 0, extents)
h.block_status(4096, 2 * 1024 * 1024, extents, nbd.CMD_FLAG_REQ_ONE)
`;

function map(uri: string, context: string): Promise<string> {
  return run("nbdinfo", `--map=${context}`, uri);
}

requires(
  "qemu-nbd",
  "qemu-img",
  "nbdinfo",
  "nbdsh",
)("a dirty bitmap of qemu-nbd", () => {
  it.each([
    { how: "killed, read-only", signal: "SIGKILL", readOnly: true },
    { how: "ended, writable", signal: "SIGTERM", readOnly: false },
  ] as const)("is read through the proxy, also after the server was $how", async ({ signal, readOnly }) => {
    const args = [`--bitmap=${BITMAP}`, "--allocation-depth"];
    const server = await startQemuNbd({ path: await bitmapImage(), format: "qcow2", args, readOnly });
    const proxy = await proxyTo(server, { args: ["--max-clients=8"] });
    const direct = await Promise.all(CONTEXTS.map((context) => map(server.uri, context)));
    expect(direct[2]).toBe(DIRTY);

    const session = await NbdshSession.start(proxy.uri);
    await session.run(CONNECT);
    const shown = await session.run(SHOW);
    expect(shown).toContain(`${BITMAP_CONTEXT} 0 [2097152, 0, 65536, 1,`);
    for (let round = 1; round <= 2; round += 1) {
      for (const [index, context] of CONTEXTS.entries()) expect(await map(proxy.uri, context)).toBe(direct[index]);
      await server.stop(signal);
      const again = session.begin(SHOW);
      await server.start();
      expect(await again()).toBe(shown);
    }
    for (const [index, context] of CONTEXTS.entries()) expect(await map(proxy.uri, context)).toBe(direct[index]);
  });

  it("shows what was written through the proxy, also what the server has lost and got again", async () => {
    const path = await bitmapImage();
    const server = await startQemuNbd({ path, format: "qcow2", args: [`--bitmap=${BITMAP}`] });
    const proxy = await proxyTo(server);
    const session = await NbdshSession.start(proxy.uri);
    await session.run(CONNECT);
    await session.run("h.pwrite(bytes([1]) * 65536, 0)");
    await server.stop("SIGTERM");
    await server.start();
    await session.run("h.pwrite(bytes([2]) * 65536, 65536)");
    const shown = await session.run(SHOW);
    expect(shown).toContain(`${BITMAP_CONTEXT} 0 [131072, 1, 1966080, 0, 65536, 1,`);
    expect(await map(server.uri, BITMAP_CONTEXT)).toMatch(/^ +0 +131072 +1 +dirty\n +131072 +1966080 +0 +clean\n/);
  });
});
