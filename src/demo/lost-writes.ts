import { open } from "node:fs/promises";
import { isDemoBlock } from "./demo-block.ts";
import { BLOCK_BYTES } from "./demo-plan.ts";
import { mebibytes } from "./mebibytes.ts";

/**
 * What the server lost of the blocks whose writing was acknowledged to the client. It is found by comparison with the
 * server's file: the server, which is killed, can't tell, and would not be believed.
 */
export class LostWrites {
  readonly #path: string;
  /** Acknowledged, and not yet seen in the file. What was seen there stays: it is the same each time it is written. */
  readonly #unseen = new Set<number>();
  readonly #lost = new Set<number>();

  /** `path` is that of the server's file. */
  constructor(path: string) {
    this.#path = path;
  }

  /** All blocks that were lost at least once, in bytes. */
  get totalBytes(): number {
    return this.#lost.size * BLOCK_BYTES;
  }

  /** The client was told that the block at `offset` is written. */
  acknowledged(offset: number): void {
    this.#unseen.add(offset);
  }

  /** To be called when the server is dead: resolves to how much of what was acknowledged is not in its file, in bytes. */
  async count(): Promise<number> {
    const missing = await this.#missing();
    for (const offset of missing) this.#lost.add(offset);
    return missing.length * BLOCK_BYTES;
  }

  /** Rejects when anything that was acknowledged is not in the file. */
  async expectNone(): Promise<void> {
    const missingBytes = (await this.#missing()).length * BLOCK_BYTES;
    if (missingBytes === 0) return;
    throw new Error(
      `${mebibytes(missingBytes)} that were acknowledged, and then flushed, are not in the server's file`,
    );
  }

  async #missing(): Promise<number[]> {
    const file = await open(this.#path);
    try {
      const found = Buffer.alloc(BLOCK_BYTES);
      for (const offset of [...this.#unseen]) {
        const { bytesRead } = await file.read(found, 0, BLOCK_BYTES, offset);
        if (bytesRead === BLOCK_BYTES && isDemoBlock(found, offset)) this.#unseen.delete(offset);
      }
    } finally {
      await file.close();
    }
    return [...this.#unseen];
  }
}
