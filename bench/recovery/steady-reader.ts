import { setTimeout as delay } from "node:timers/promises";

import type { DemoClient } from "../../src/demo/demo-client.ts";
import { SeededRandom } from "../../test/simulation/seeded-random.ts";
import { connectedClient } from "../connected-client.ts";

const READ_BYTES = 4096;
/** A read is under way whenever the server is gone, and as long as it is there nobody takes the processor from others. */
const PAUSE_MS = 5;

interface Watcher {
  readonly replied: (atMs: number) => void;
  readonly failed: (error: Error) => void;
}

/** A client that reads a small block, waits for the reply, and soon reads the next one, as long as it is not told of an error. */
export class SteadyReader {
  readonly #client: DemoClient;
  readonly #sizeBytes: number;
  // Far apart, so that no read-ahead holds the answer.
  readonly #random = new SeededRandom(1);
  #watcher: Watcher | undefined;
  #failure: Error | undefined;

  private constructor(client: DemoClient, sizeBytes: number) {
    this.#client = client;
    this.#sizeBytes = sizeBytes;
  }

  /** Connects to a port of 127.0.0.1 and begins. */
  static async connect(port: number, sizeBytes: number): Promise<SteadyReader> {
    const reader = new SteadyReader(await connectedClient(port), sizeBytes);
    void reader.#read();
    return reader;
  }

  /**
   * Resolves to the moment of the next reply, in the time of `performance.now()`. Rejects when an error comes instead, or
   * has come since it began.
   */
  nextReply(): Promise<number> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined) reject(this.#failure);
      else this.#watcher = { replied: resolve, failed: reject };
    });
  }

  /** Leaves at once. */
  close(): void {
    this.#client.abort();
  }

  async #read(): Promise<void> {
    try {
      for (;;) {
        await this.#client.read(this.#random.integer(this.#sizeBytes / READ_BYTES) * READ_BYTES, READ_BYTES);
        this.#watcher?.replied(performance.now());
        this.#watcher = undefined;
        await delay(PAUSE_MS);
      }
    } catch (error) {
      this.#failure = error instanceof Error ? error : new Error(String(error));
      this.#watcher?.failed(this.#failure);
    }
  }
}
