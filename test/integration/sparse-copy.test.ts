import { open, stat, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";

import { newEndpoint, proxyTo } from "./support/chain.ts";
import { CountingRelay } from "./support/counting-relay.ts";
import { LONG_TESTS } from "./support/long-tests.ts";
import { startNbdkit } from "./support/nbdkit-server.ts";
import { startQemuNbd } from "./support/qemu-nbd-server.ts";
import type { RealServer } from "./support/real-server.ts";
import { requires } from "./support/requires.ts";
import { run } from "./support/run.ts";
import { scratchFolder } from "./support/scratch-folder.ts";
import type { Endpoint } from "../../src/ports/network.ts";

const MIB = 1024 * 1024;
const SIZE = 10 * 1024 * MIB;
const PARTS = 100;
/** So much of it is data; the headers and the questions for holes come on top. */
const DATA = PARTS * MIB;
const REST = 2 * MIB;
const SECONDS = 15;

/** A file of 10 GiB, with a mebibyte of data in every hundredth part of it. */
async function sparseFile(): Promise<string> {
  const path = join(await scratchFolder(), "sparse");
  const file = await open(path, "w");
  await file.truncate(SIZE);
  for (let part = 0; part < PARTS; part += 1) {
    const offset = Math.floor((part * SIZE) / PARTS / MIB + 7) * MIB;
    await file.write(Buffer.alloc(MIB, part + 1), 0, MIB, offset);
  }
  await file.sync();
  await file.close();
  return path;
}

async function emptyFile(): Promise<string> {
  const path = join(await scratchFolder(), "empty");
  await writeFile(path, "");
  await truncate(path, SIZE);
  return path;
}

const SERVERS: readonly (readonly [
  program: string,
  start: (path: string, endpoint: Endpoint) => Promise<RealServer>,
])[] = [
  ["nbdkit", (path, endpoint) => startNbdkit({ plugin: ["file", path], endpoint })],
  ["qemu-nbd", (path, endpoint) => startQemuNbd({ path, endpoint, args: ["--discard=unmap"] })],
];

const COPIES: readonly (readonly [program: string, out: readonly string[], back: readonly string[]])[] = [
  ["nbdcopy", [], ["--flush"]],
  ["qemu-img", ["convert", "-f", "raw", "-O", "raw"], ["convert", "-n", "-f", "raw", "-O", "raw"]],
];

for (const [server, start] of SERVERS) {
  // The last pair takes its time and shows little that the others do not.
  const copies = server === "qemu-nbd" && !LONG_TESTS ? COPIES.slice(1) : COPIES;
  for (const [program, out, back] of copies) {
    requires(
      server,
      program,
      "qemu-img",
    )(`${program} through the proxy before ${server}`, () => {
      /** A proxy with a relay on either side, which counts. */
      async function relayed(path: string): Promise<{ uri: string; relays: readonly CountingRelay[] }> {
        const real = await start(path, await newEndpoint("unix"));
        const upstream = await CountingRelay.to(real.endpoint);
        const proxy = await proxyTo(upstream, { args: ["--max-clients=8"] });
        const downstream = await CountingRelay.to(proxy.endpoint);
        return { uri: downstream.uri, relays: [upstream, downstream] };
      }

      it("moves only the data of a sparse disk, out of it", async () => {
        const source = await sparseFile();
        const { uri, relays } = await relayed(source);
        const copy = join(await scratchFolder(), "copy");
        const startMs = performance.now();
        await run(program, ...out, uri, copy);
        expect(performance.now() - startMs).toBeLessThan(SECONDS * 1000);
        for (const { requestBytes, replyBytes } of relays) {
          expect(replyBytes).toBeGreaterThanOrEqual(DATA);
          expect(replyBytes).toBeLessThan(DATA + REST);
          expect(requestBytes).toBeLessThan(REST);
        }
        expect((await stat(copy)).blocks * 512).toBeLessThan(DATA + 20 * MIB);
        expect(await run("qemu-img", "compare", "-f", "raw", "-F", "raw", source, copy)).toBe(
          "Images are identical.\n",
        );
      });

      it("moves only the data of a sparse disk, into it", async () => {
        const source = await sparseFile();
        const target = await emptyFile();
        const { uri, relays } = await relayed(target);
        const startMs = performance.now();
        await run(program, ...back, source, uri);
        expect(performance.now() - startMs).toBeLessThan(SECONDS * 1000);
        for (const { requestBytes, replyBytes } of relays) {
          expect(requestBytes).toBeGreaterThanOrEqual(DATA);
          expect(requestBytes).toBeLessThan(DATA + REST);
          expect(replyBytes).toBeLessThan(REST);
        }
        expect((await stat(target)).blocks * 512).toBeLessThan(DATA + 20 * MIB);
        expect(await run("qemu-img", "compare", "-f", "raw", "-F", "raw", source, target)).toBe(
          "Images are identical.\n",
        );
      });
    });
  }
}
