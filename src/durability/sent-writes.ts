import { INVARIANTS } from "./invariants.ts";

/** A write-like request, as it is sent. */
interface SentWrite {
  readonly offset: number;
  readonly length: number;
}

/** The write-like requests that are at the server, unanswered. No two of them overlap (I2). */
export class SentWrites {
  readonly #writes = new Set<SentWrite>();

  get count(): number {
    return this.#writes.size;
  }

  /** One is sent. */
  add(write: SentWrite): void {
    const end = write.offset + write.length;
    for (const other of this.#writes) {
      const apart = other.offset + other.length <= write.offset || end <= other.offset;
      if (!apart) INVARIANTS.check(false, "I2", `overlapping writes are at the server at once, at ${write.offset}`);
    }
    this.#writes.add(write);
  }

  /** One is answered. */
  delete(write: SentWrite): void {
    this.#writes.delete(write);
  }

  /** The connection is lost, and none of them will be answered over it. */
  clear(): void {
    this.#writes.clear();
  }
}
