import { expect, it } from "vitest";

import * as wire from "../simulation/wire.ts";
import { newEndpoint, proxyTo } from "./support/chain.ts";
import type { RunningProxy } from "./support/chain.ts";
import { nbdshBefore } from "./support/nbdsh.ts";
import { startNbdkit } from "./support/nbdkit-server.ts";
import { PlainClient } from "./support/plain-client.ts";
import { requires } from "./support/requires.ts";
import { run } from "./support/run.ts";

const MIB = 1024 * 1024;
const [MINIMUM, PREFERRED, MAXIMUM] = [4096, 8192, 64 * 1024];

/** A server that answers an error to whatever is not in its block sizes, and a proxy in front of it. */
async function strictServer(): Promise<{ uri: string; proxy: RunningProxy }> {
  const sizes = [`minimum=${MINIMUM}`, `preferred=${PREFERRED}`, `maximum=${MAXIMUM}`, "error-policy=error"];
  const plugin = ["memory", String(80 * MIB), ...sizes.map((setting) => `blocksize-${setting}`)];
  const server = await startNbdkit({ plugin, filters: ["blocksize-policy"], endpoint: await newEndpoint("unix") });
  return { uri: server.uri, proxy: await proxyTo(server) };
}

/** A client that does not care for block sizes, with structured replies or without. */
function careless(structured: boolean, lengths: readonly number[]): string {
  return `
import errno, os
h.set_strict_mode(0)
h.set_request_structured_replies(${structured ? "True" : "False"})
h.set_request_block_size(False)
h.connect_uri(uri)
for length in ${JSON.stringify(lengths)}:
    for offset in (0, 40 * 1024 * 1024 + 4096):
        data = os.urandom(4096) * (length // 4096)
        h.pwrite(data, offset)
        assert h.pread(length, offset) == data, (length, offset)
        h.pwrite(data, offset, nbd.CMD_FLAG_FUA)
h.flush()
for length, offset in ((4096, 1), (4097, 0), (512, 0), (1024 * 1024 + 512, 0), (1024 * 1024, 2048)):
    for name, call in (("read", lambda: h.pread(length, offset)), ("write", lambda: h.pwrite(bytes(length), offset))):
        try:
            call()
            print(name, length, offset, "done")
        except nbd.Error as error:
            print(name, length, offset, errno.errorcode[error.errnum])
`;
}

const REFUSED = [
  [4096, 1],
  [4097, 0],
  [512, 0],
  [MIB + 512, 0],
  [MIB, 2048],
].flatMap(([length, offset]) => ["read", "write"].map((what) => `${what} ${length} ${offset} EINVAL\n`));

requires(
  "nbdkit",
  "nbdsh",
  "nbdinfo",
)("before a server that takes 64 KiB at once, the proxy", () => {
  it("shows the server's block sizes", async () => {
    const { uri, proxy } = await strictServer();
    for (const [name, value] of Object.entries({ MINIMUM, PREFERRED, MAXIMUM })) {
      const script = `h.connect_uri(uri)\nprint(h.get_block_size(nbd.SIZE_${name}))`;
      expect(await nbdshBefore(proxy.uri, script)).toBe(`${value}\n`);
      expect(await nbdshBefore(uri, script)).toBe(`${value}\n`);
    }
    expect(await run("nbdinfo", proxy.uri)).toContain(`block_size_maximum: ${MAXIMUM}`);
  });

  it.each([
    ["structured", true],
    ["simple", false],
  ] as const)(
    "takes up to 32 MiB of a client that never asked, and only whole blocks (%s replies)",
    async (_replies, structured) => {
      const { proxy } = await strictServer();
      const lengths = [4096, 65_536, 69_632, MIB, 32 * MIB];
      expect(await nbdshBefore(proxy.uri, careless(structured, lengths))).toBe(REFUSED.join(""));
      expect(proxy.process.stderr).toBe("");
    },
  );

  it("takes long requests of a plain client, many at once", async () => {
    const { proxy } = await strictServer();
    const client = await PlainClient.connect(proxy.endpoint);
    const parts = Array.from({ length: 16 }, (_, part) => Buffer.alloc(MIB, part + 1));
    await Promise.all(parts.map((part, index) => client.write(index * MIB, part)));
    const read = await client.read(0, 16 * MIB);
    expect(read.equals(Buffer.concat(parts))).toBe(true);
    await client.write(20 * MIB, Buffer.alloc(32 * MIB, 0x5a));
    expect((await client.read(20 * MIB, 32 * MIB)).equals(Buffer.alloc(32 * MIB, 0x5a))).toBe(true);
    for (const wanted of [
      { command: wire.READ, offset: 512, length: MIB },
      { command: wire.READ, offset: 0, length: MIB + 1 },
      { command: wire.WRITE, offset: 4096, payload: Buffer.alloc(MIB + 512) },
    ]) {
      expect((await client.request(wanted)).error).toBe(wire.EINVAL);
    }
    await client.disconnect();
    expect(proxy.process.stderr).toBe("");
  });
});
