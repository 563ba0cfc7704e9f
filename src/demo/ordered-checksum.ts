import { createHash } from "node:crypto";

/** The SHA-256 of a stream whose blocks may come in any order; those that are early are kept. */
export class OrderedChecksum {
  readonly #hash = createHash("sha256");
  readonly #early = new Map<number, Buffer>();
  #end = 0;

  /** Takes the block at `offset`, which is kept and must not change any more. */
  add(offset: number, block: Buffer): void {
    this.#early.set(offset, block);
    for (;;) {
      const next = this.#early.get(this.#end);
      if (next === undefined) return;
      this.#early.delete(this.#end);
      this.#hash.update(next);
      this.#end += next.length;
    }
  }

  /** The checksum in hexadecimal of all that came without a gap. To be called once, at the end. */
  digest(): string {
    return this.#hash.digest("hex");
  }
}
