import { readFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { expect, it } from "vitest";

import { newEndpoint, proxyTo } from "./support/chain.ts";
import { startNbdkit } from "./support/nbdkit-server.ts";
import { PlainClient } from "./support/plain-client.ts";
import { randomFile } from "./support/random-file.ts";
import { requires } from "./support/requires.ts";

const BLOCK = 4096;
const BLOCKS = 256;
const DEPTH = 16;
const CRASHES = 6;

/**
 * Workers that own disjoint blocks write a block, read it back and compare, as fast as they can, until told to stop. Each
 * knows what its blocks must hold, so that a lost, a doubled or a misplaced write shows at the next read at the latest.
 */
class Checker {
  readonly expected: Buffer[] = [];
  operations = 0;
  readonly #client: PlainClient;
  #stopping = false;

  constructor(client: PlainClient, content: Buffer) {
    this.#client = client;
    for (let block = 0; block < BLOCKS; block++)
      this.expected.push(content.subarray(block * BLOCK, (block + 1) * BLOCK));
  }

  async run(): Promise<void> {
    await Promise.all(Array.from({ length: DEPTH }, (_, worker) => this.#work(worker)));
  }

  stop(): void {
    this.#stopping = true;
  }

  async #work(worker: number): Promise<void> {
    for (let turn = 0; !this.#stopping; turn++) {
      const block = worker + DEPTH * ((turn * 7) % (BLOCKS / DEPTH));
      const written = Buffer.alloc(BLOCK, `${worker}:${turn};`);
      const before = await this.#client.read(block * BLOCK, BLOCK);
      if (this.expected[block]?.equals(before) !== true) throw new Error(`block ${block} changed by itself`);
      this.expected[block] = written;
      await this.#client.write(block * BLOCK, written);
      const after = await this.#client.read(block * BLOCK, BLOCK);
      if (!after.equals(written)) throw new Error(`block ${block} does not hold what was written in turn ${turn}`);
      this.operations += 3;
    }
  }
}

requires("nbdkit")("while its server crashes again and again, the proxy", () => {
  it("loses no write, doubles none, and misplaces none", async () => {
    const { path, bytes } = await randomFile(BLOCK * BLOCKS);
    const server = await startNbdkit({ plugin: ["file", path], endpoint: await newEndpoint("unix") });
    const proxy = await proxyTo(server);
    const client = await PlainClient.connect(proxy.endpoint);
    const checker = new Checker(client, bytes);
    const done = checker.run();
    for (let crash = 0; crash < CRASHES; crash++) {
      const before = checker.operations;
      while (checker.operations < before + 500) await Promise.race([delay(5), done]);
      await server.stop("SIGKILL");
      await server.start();
    }
    checker.stop();
    await done;
    await client.disconnect();
    expect(Buffer.concat(checker.expected).equals(await readFile(path))).toBe(true);
  });
});
