import { readFile, writeFile } from "node:fs/promises";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { expect } from "vitest";

import { everyChain } from "./support/every-chain.ts";
import { run } from "./support/run.ts";
import { scratchFolder } from "./support/scratch-folder.ts";

const SIZE = 24 * 1024 * 1024;

everyChain("lets nbdcopy copy out and in, byte for byte", { clients: ["nbdcopy"], sizeBytes: SIZE }, async (chain) => {
  const folder = await scratchFolder();
  const out = join(folder, "out");
  await run("nbdcopy", chain.proxy.uri, out);
  expect(chain.content.equals(await readFile(out))).toBe(true);

  const content = randomBytes(SIZE);
  const source = join(folder, "in");
  await writeFile(source, content);
  await run("nbdcopy", "--flush", source, chain.proxy.uri);
  expect(content.equals(await readFile(chain.path))).toBe(true);
});
