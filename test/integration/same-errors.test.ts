import { expect, it } from "vitest";

import { newEndpoint, proxyTo } from "./support/chain.ts";
import { everyChain } from "./support/every-chain.ts";
import { startNbdServer } from "./support/nbd-server-server.ts";
import { startNbdkit } from "./support/nbdkit-server.ts";
import { nbdsh } from "./support/nbdsh.ts";
import { startQemuNbd } from "./support/qemu-nbd-server.ts";
import { randomFile } from "./support/random-file.ts";
import { requires } from "./support/requires.ts";

const SIZE = 1024 * 1024;

/** Tries commands that cannot succeed, and prints what each was answered; libnbd's own checks are off. */
const SCRIPT = `
import errno
h.set_strict_mode(0)
size = h.get_size()

def attempt(name, function):
    try:
        function()
        print(name, "ok")
    except nbd.Error as error:
        print(name, errno.errorcode.get(error.errnum, error.errnum))

attempt("read past the end", lambda: h.pread(1024, size - 512))
attempt("read far away", lambda: h.pread(512, size * 4))
if not h.is_read_only():
    attempt("write past the end", lambda: h.pwrite(bytes(1024), size - 512))
attempt("read inside", lambda: h.pread(512, size - 512))
if h.is_read_only():
    attempt("write", lambda: h.pwrite(bytes(512), 0))
    attempt("read", lambda: h.pread(512, 0))
`;

/** What the protocol's text wants to be said ("Error values"), on a disk that may be written to and on one that may not. */
const WRITABLE = `read past the end EINVAL
read far away EINVAL
write past the end ENOSPC
read inside ok
`;
const READ_ONLY = `read past the end EINVAL
read far away EINVAL
read inside ok
write EPERM
read ok
`;

/** Some servers say EINVAL whatever the trouble is; the proxy keeps to the text. */
function asTheTextWants(said: string, text: string): string {
  return said === text.replaceAll(/ENOSPC|EPERM/g, "EINVAL") ? text : said;
}

everyChain(
  "answers what is out of bounds as the server does",
  { clients: ["nbdsh"], sizeBytes: SIZE },
  async (chain) => {
    expect(await nbdsh(chain.proxy.uri, SCRIPT)).toBe(WRITABLE);
    expect(asTheTextWants(await nbdsh(chain.server.uri, SCRIPT), WRITABLE)).toBe(WRITABLE);
  },
);

const READ_ONLY_SERVERS = [
  ["nbdkit", "", (path: string) => startNbdkit({ plugin: ["file", path], readOnly: true })],
  ["qemu-nbd", "", (path: string) => startQemuNbd({ path, readOnly: true })],
  ["nbd-server", "disk", (path: string) => startNbdServer({ path, lines: ["readonly = true"] })],
] as const;

for (const [program, exportName, start] of READ_ONLY_SERVERS) {
  requires(program, "nbdsh")(`before a read-only ${program}, the proxy`, () => {
    it("refuses a write as the server does", async () => {
      const { path } = await randomFile(SIZE);
      const server = await start(path);
      const proxy = await proxyTo(server, { exportName });
      expect(await nbdsh(proxy.uri, SCRIPT)).toBe(READ_ONLY);
      expect(asTheTextWants(await nbdsh(server.uri, SCRIPT), READ_ONLY)).toBe(READ_ONLY);
    });
  });
}

requires("nbdkit", "nbdsh")("before a server that fails, the proxy", () => {
  it.each(["ENOSPC", "EIO", "EPERM", "EINVAL", "ENOMEM"])("passes on %s, and keeps the connection", async (error) => {
    const endpoint = await newEndpoint("unix");
    const plugin = ["memory", "1M", `error-pwrite=${error}`, "error-pwrite-rate=100%"];
    const server = await startNbdkit({ plugin, filters: ["error"], endpoint });
    const proxy = await proxyTo(server);
    const script = `
import errno
try:
    h.pwrite(bytes(512), 0)
except nbd.Error as error:
    print(errno.errorcode[error.errnum], h.pread(512, 0) == bytes(512))
`;
    expect(await nbdsh(proxy.uri, script)).toBe(`${error} True\n`);
    expect(proxy.process.stderr).toBe("");
  });
});
