import { INVARIANTS } from "./invariants.ts";

/** A write-like request, as it is sent. */
interface SentWrite {
  readonly offset: number;
  readonly length: number;
}

/** The write-like requests that are at the server, unanswered. No two of them overlap (I2). */
export class SentWrites {
  /** In no order. Walked at every write anyway, it is no slower to search than a set, and cheaper to change. */
  readonly #writes: SentWrite[] = [];

  get count(): number {
    return this.#writes.length;
  }

  /** One is sent. */
  add(write: SentWrite): void {
    const end = write.offset + write.length;
    for (const other of this.#writes) {
      const apart = other.offset + other.length <= write.offset || end <= other.offset;
      if (!apart) INVARIANTS.check(false, "I2", `overlapping writes are at the server at once, at ${write.offset}`);
    }
    this.#writes.push(write);
  }

  /** One is answered. */
  delete(write: SentWrite): void {
    const index = this.#writes.indexOf(write);
    const last = index < 0 ? undefined : this.#writes.pop();
    if (last !== undefined && last !== write) this.#writes[index] = last;
  }

  /** The connection is lost, and none of them will be answered over it. */
  clear(): void {
    this.#writes.length = 0;
  }
}
