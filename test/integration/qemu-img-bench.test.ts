import { expect } from "vitest";

import { everyChain } from "./support/every-chain.ts";
import { run } from "./support/run.ts";

function bench(uri: string, ...args: readonly string[]): Promise<string> {
  return run("qemu-img", "bench", "-f", "raw", "-d", "64", "-c", "600", "-s", "4096", ...args, uri);
}

everyChain(
  "takes qemu-img bench at depth 64",
  { clients: ["qemu-img"], sizeBytes: 4 * 1024 * 1024 },
  async ({ proxy }) => {
    expect(await bench(proxy.uri)).toContain("Run completed");
    expect(await bench(proxy.uri, "-w", "--pattern=195", "--flush-interval=64")).toContain("Run completed");
  },
);
