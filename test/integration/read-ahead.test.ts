import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";

import { startNbdkit } from "./support/nbdkit-server.ts";
import { PlainClient } from "./support/plain-client.ts";
import { proxyBefore } from "./support/proxy-before.ts";
import { randomFile } from "./support/random-file.ts";
import { requires } from "./support/requires.ts";
import { scratchFolder } from "./support/scratch-folder.ts";

const BLOCK_BYTES = 4096;
const BLOCKS = 1024;

/** What a reader got, and how many reads the server saw meanwhile. */
interface Trace {
  readonly sha256: string;
  readonly serverReads: number;
}

/** Reads blocks in this order, one after the other, through a proxy with these options. */
async function readThrough(order: readonly number[], path: string, args: readonly string[]): Promise<Trace> {
  const logFile = join(await scratchFolder(), "requests");
  const server = await startNbdkit({ plugin: ["file", path, `logfile=${logFile}`], filters: ["log"], readOnly: true });
  const proxy = await proxyBefore([server.uri], { args });
  const client = await PlainClient.connect(proxy.endpoint);
  const hash = createHash("sha256");
  for (const block of order) hash.update(await client.read(block * BLOCK_BYTES, BLOCK_BYTES));
  await client.disconnect();
  await proxy.process.stop();
  await server.stop();
  const log = await readFile(logFile, "utf8");
  return { sha256: hash.digest("hex"), serverReads: log.match(/ Read id=/g)?.length ?? 0 };
}

requires("nbdkit")("with a read-ahead cache, the proxy", () => {
  const sequential = Array.from({ length: BLOCKS }, (_, block) => block);

  it("asks the server half as often for a sequential reader, with the original's 4096 bytes", async () => {
    const { path } = await randomFile(BLOCKS * BLOCK_BYTES);
    const plain = await readThrough(sequential, path, []);
    const cached = await readThrough(sequential, path, ["--cache"]);
    expect(plain.serverReads).toBe(BLOCKS);
    expect(cached.serverReads).toBe(BLOCKS / 2);
    expect(cached.sha256).toBe(plain.sha256);
  });

  it("asks far less often with more memory", async () => {
    const { path } = await randomFile(BLOCKS * BLOCK_BYTES);
    const plain = await readThrough(sequential, path, []);
    const cached = await readThrough(sequential, path, ["--cache=16M"]);
    expect(cached.serverReads).toBeLessThan(BLOCKS / 20);
    expect(cached.sha256).toBe(plain.sha256);
  });

  it("asks for nothing more when the reader jumps about", async () => {
    const { path } = await randomFile(BLOCKS * BLOCK_BYTES);
    // A step that shares no factor with the number of blocks visits all of them, and never two in a row.
    const scattered = sequential.map((index) => (index * 389) % BLOCKS);
    const plain = await readThrough(scattered, path, []);
    const cached = await readThrough(scattered, path, ["--cache=16M"]);
    expect(cached.serverReads).toBe(plain.serverReads);
    expect(cached.sha256).toBe(plain.sha256);
  });
});
