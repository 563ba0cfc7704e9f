import { readFile } from "node:fs/promises";
import { expect } from "vitest";

import { everyChain } from "./support/every-chain.ts";
import { run } from "./support/run.ts";

const KIB = 1024;

function qemuIo(uri: string, ...commands: readonly string[]): Promise<string> {
  return run("qemu-io", "-f", "raw", ...commands.flatMap((command) => ["-c", command]), uri);
}

everyChain(
  "carries qemu-io's writes, zeros and discards",
  { clients: ["qemu-io"], sizeBytes: 4096 * KIB },
  async (chain) => {
    const { uri } = chain.proxy;
    const written = await qemuIo(
      uri,
      "write -P 0xa5 0 1M",
      "write -f -P 0x5a 1M 64k",
      "aio_write -P 0x11 2M 4k",
      "aio_write -P 0x12 2052k 4k",
      "aio_flush",
      "write -z 128k 64k",
      "write -z -u 256k 64k",
      "discard 3M 512k",
      "flush",
    );
    expect(written).not.toContain("failed");
    // Another client sees all of it, and the pieces are where they belong.
    const read = await qemuIo(
      uri,
      "read -P 0xa5 0 128k",
      "read -P 0 128k 64k",
      "read -P 0xa5 192k 64k",
      "read -P 0 256k 64k",
      "read -P 0xa5 320k 704k",
      "read -P 0x5a 1M 64k",
      "read -P 0x11 2M 4k",
      "read -P 0x12 2052k 4k",
    );
    expect(read).not.toMatch(/failed|verification/i);

    const file = await readFile(chain.path);
    expect(file.subarray(0, 128 * KIB).equals(Buffer.alloc(128 * KIB, 0xa5))).toBe(true);
    expect(file.subarray(128 * KIB, 192 * KIB).equals(Buffer.alloc(64 * KIB))).toBe(true);
    const untouched = [1088 * KIB, 2048 * KIB] as const;
    expect(file.subarray(...untouched).equals(chain.content.subarray(...untouched))).toBe(true);
  },
);
