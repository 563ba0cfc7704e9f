import { readFile } from "node:fs/promises";
import { expect } from "vitest";

import { everyChain } from "./support/every-chain.ts";
import { nbdsh } from "./support/nbdsh.ts";

const MIB = 1024 * 1024;

const SCRIPT = `
M = 1024 * 1024
fua = nbd.CMD_FLAG_FUA
def expect(offset, data):
    assert h.pread(len(data), offset) == data, offset

big = bytes([7]) * (32 * M)
h.pwrite(big, M)
expect(M, big)

assert h.can_flush() and h.can_fua() and h.can_trim()
h.pwrite(b"one" * 100, 10, fua)
h.flush()
expect(10, b"one" * 100)

h.trim(64 * 1024, 2 * M, fua)
h.pread(64 * 1024, 2 * M)
expect(2 * M + 64 * 1024, bytes([7]) * 512)

if h.can_zero():
    h.zero(4096, 4 * M)
    h.zero(4096, 4 * M + 8192, nbd.CMD_FLAG_NO_HOLE | fua)
    expect(4 * M, bytes(4096) + bytes([7]) * 4096 + bytes(4096) + bytes([7]) * 4096)
if h.can_cache():
    h.cache(M, 8 * M)

cookies = [h.aio_pwrite(nbd.Buffer.from_bytearray(bytearray([n]) * 512), 20 * M + 512 * n) for n in range(200)]
while h.aio_in_flight() > 0:
    h.poll(-1)
assert all(h.aio_command_completed(cookie) for cookie in cookies)
expect(20 * M, b"".join(bytes([n]) * 512 for n in range(200)))
h.flush()
h.shutdown()
`;

everyChain(
  "carries every command that the server offers",
  { clients: ["nbdsh"], sizeBytes: 40 * MIB },
  async (chain) => {
    await nbdsh(chain.proxy.uri, SCRIPT);
    const file = await readFile(chain.path);
    expect(file.toString("latin1", 10, 310)).toBe("one".repeat(100));
    expect(file.subarray(33 * MIB).equals(chain.content.subarray(33 * MIB))).toBe(true);
  },
);
