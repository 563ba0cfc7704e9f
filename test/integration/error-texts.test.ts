import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";

import { proxyTo } from "./support/chain.ts";
import { nbdshBefore } from "./support/nbdsh.ts";
import { startQemuNbd } from "./support/qemu-nbd-server.ts";
import type { RealServer } from "./support/real-server.ts";
import { requires } from "./support/requires.ts";
import { scratchFolder } from "./support/scratch-folder.ts";
import { sparseImage } from "./support/sparse-image.ts";

/** Errors of qemu's own making, at some places of the disk. */
const FAULTS = `
[inject-error]
event = "read_aio"
errno = "5"
sector = "64"

[inject-error]
event = "write_aio"
errno = "28"
sector = "128"
`;

/** What libnbd says of these errors, with what the server says of them. */
function script(flag: string): string {
  return `
import errno
said = []
h.set_strict_mode(0)
h.set_debug_callback(lambda context, message: said.append(message) if "server message" in message else None)
h.set_debug(True)
h.connect_uri(uri)
for name, call in (
    ("read", lambda: h.pread(512, 64 * 512, ${flag})),
    ("read around", lambda: h.pread(1048576, 0, ${flag})),
    ("write", lambda: h.pwrite(bytes(512), 128 * 512)),
    ("read elsewhere", lambda: h.pread(512, 1024 * 1024)),
):
    said.clear()
    try:
        call()
        print(name, "done")
    except nbd.Error as error:
        print(name, errno.errorcode[error.errnum], error.string, *said)
`;
}

const TEXTS = `read EIO nbd_pread: read: command failed: Input/output error structured error server message: reading from file failed
read around EIO nbd_pread: read: command failed: Input/output error structured error server message: reading from file failed
write ENOSPC nbd_pwrite: write: command failed: No space left on device structured error server message: writing to file failed
read elsewhere done
`;

async function faultyServer(): Promise<RealServer> {
  const faults = join(await scratchFolder(), "faults");
  await writeFile(faults, FAULTS);
  return startQemuNbd({ path: `blkdebug:${faults}:${await sparseImage()}` });
}

requires("qemu-nbd", "nbdsh")("errors of qemu-nbd", () => {
  it("reach the client with the server's words", async () => {
    const server = await faultyServer();
    const proxy = await proxyTo(server);
    expect(await nbdshBefore(server.uri, script("nbd.CMD_FLAG_DF"))).toBe(TEXTS);
    expect(await nbdshBefore(proxy.uri, script("nbd.CMD_FLAG_DF"))).toBe(TEXTS);
    expect(proxy.process.stderr).toBe("");
  });

  it("reach the client also where the server itself can only hang up", async () => {
    const server = await faultyServer();
    const proxy = await proxyTo(server);
    // In the middle of an answer in fragments it has no way to say that it can't read on.
    expect(await nbdshBefore(server.uri, script("0"))).toMatch(/^read ENOTCONN .*not connected$/m);
    expect(await nbdshBefore(proxy.uri, script("0"))).toBe(TEXTS);
    expect(proxy.process.stderr.match(/connected again/g)).toHaveLength(2);
  });
});
