import { expect } from "vitest";

import { everyChain } from "./support/every-chain.ts";
import { fioVerify } from "./support/fio.ts";

const SIZE = 8 * 1024 * 1024;

everyChain("keeps the checksums of fio", { clients: ["fio"], sizeBytes: SIZE }, async ({ proxy }) => {
  const args = [
    `--size=${SIZE}`,
    "--iodepth=16",
    "--rw=randwrite",
    "--bsrange=512-64k",
    "--bs_unaligned=0",
    "--fsync=50",
  ];
  expect(await fioVerify(proxy.uri, ...args)).toMatch(/err= 0/);
});
