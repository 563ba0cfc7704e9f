import { setTimeout as delay } from "node:timers/promises";

import type { RealServer } from "./real-server.ts";

const EVERY_MS = 1000;

/** A server that is ended and started again every second, killed and asked to end in turn. */
export class Restarts {
  /** How often it was started again so far. */
  count = 0;
  readonly #over = new AbortController();
  readonly #done: Promise<void>;

  constructor(server: RealServer, signals: readonly NodeJS.Signals[] = ["SIGKILL", "SIGTERM"]) {
    this.#done = this.#run(server, signals);
    // The one who ends it hears of it.
    this.#done.catch(() => undefined);
  }

  /** No more of it: the server runs. */
  async end(): Promise<void> {
    this.#over.abort();
    await this.#done;
  }

  async #run(server: RealServer, signals: readonly NodeJS.Signals[]): Promise<void> {
    for (;;) {
      await delay(EVERY_MS, undefined, { signal: this.#over.signal }).catch(() => undefined);
      if (this.#over.signal.aborted) return;
      await server.stop(signals[this.count % signals.length]);
      await server.start();
      this.count += 1;
    }
  }
}
