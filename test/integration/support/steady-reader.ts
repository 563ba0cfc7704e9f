import { setTimeout as delay } from "node:timers/promises";

import type { PlainClient } from "./plain-client.ts";
import { until } from "./until.ts";

const PAUSE_MS = 10;

/** Reads the beginning of a disk over and over, so that nothing that can be seen there for a while goes unseen. */
export class SteadyReader {
  /** What it has seen so far: every change, in their order. */
  readonly seen: string[] = [];
  #reads = 0;
  #stopping = false;
  readonly #done: Promise<void>;

  /** What was read is kept as `describe` puts it into words. */
  constructor(client: PlainClient, lengthBytes: number, describe: (bytes: Buffer) => string) {
    this.#done = this.#run(client, lengthBytes, describe);
    // The one who stops it hears of it.
    this.#done.catch(() => undefined);
  }

  /** Waits until it has read so many times from now on. */
  async untilReads(count: number): Promise<void> {
    // The one that is under way may have begun before.
    const goal = this.#reads + count + 1;
    await Promise.race([this.#done, until(`${count} more reads`, () => this.#reads >= goal)]);
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#done;
  }

  async #run(client: PlainClient, lengthBytes: number, describe: (bytes: Buffer) => string): Promise<void> {
    while (!this.#stopping) {
      const found = describe(await client.read(0, lengthBytes));
      if (found !== this.seen.at(-1)) this.seen.push(found);
      this.#reads += 1;
      await delay(PAUSE_MS);
    }
  }
}
