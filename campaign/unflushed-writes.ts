import { BLOCK_BYTES } from "./block-tag.ts";
import { hasSucceeded } from "./operation.ts";
import type { Operation } from "./operation.ts";

/** The writes that were acknowledged and that no acknowledged FLUSH has covered: what a server may lose with its power. */
export class UnflushedWrites {
  #writes: Operation[] = [];

  /** Has to be called for every operation that was answered. */
  answered(operation: Operation): void {
    if (!hasSucceeded(operation)) return;
    const { kind, fua, start } = operation;
    if ((kind === "write" || kind === "zeroes") && !fua) this.#writes.push(operation);
    // It covers what was answered before it was sent.
    if (kind === "flush") this.#writes = this.#writes.filter(({ end }) => end > start);
  }

  /** How much was written; what was overwritten counts again. */
  get bytes(): number {
    return this.#writes.reduce((sum, { blocks }) => sum + blocks * BLOCK_BYTES, 0);
  }
}
