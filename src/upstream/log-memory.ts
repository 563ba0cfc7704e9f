import type { LogContent } from "../durability/write-log.ts";
import { LIMITS } from "../limits.ts";
import type { Slab } from "../transport/slab.ts";
import type { SlabPool } from "../transport/slab-pool.ts";
import { Slice } from "../transport/slice.ts";

/** The bytes of an acknowledged WRITE, as long as a fragment of the log needs them. */
export class KeptContent implements LogContent {
  readonly #slices: readonly Slice[];
  readonly #letGo: (slices: readonly Slice[]) => void;
  #fragments = 0;

  constructor(slices: readonly Slice[], letGo: (slices: readonly Slice[]) => void) {
    this.#slices = slices;
    this.#letGo = letGo;
  }

  retain(): void {
    this.#fragments += 1;
  }

  release(): void {
    this.#fragments -= 1;
    if (this.#fragments === 0) this.#letGo(this.#slices);
  }

  /** Adds bytes [start, end) of it to a payload. They are good as long as the fragment is in the log. */
  appendTo(payload: Slice[], start: number, end: number): void {
    let at = 0;
    for (const slice of this.#slices) {
      const from = Math.max(start, at);
      const to = Math.min(end, at + slice.length);
      const begin = slice.start - at;
      if (from < to) payload.push(new Slice(slice.slab, begin + from, begin + to, 0));
      at += slice.length;
    }
  }
}

/**
 * The memory of the write log. Long payloads stay in the slabs in which they came; short ones are copied together, because one
 * of them would keep a whole slab. Everything that is held on to is counted, by whole slabs.
 */
export class LogMemory {
  readonly #pool: SlabPool;
  /** Every slab that is held, and for how many slices. */
  readonly #holds = new Map<Slab, number>();
  #heldBytes = 0;
  /** The slab that is being filled with copies. */
  #filling: Slab | undefined;
  #filled = 0;

  constructor(pool: SlabPool) {
    this.#pool = pool;
  }

  /** The sizes of all slabs that are held. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** The same, counted anew; for I5. */
  countBytes(): number {
    let sum = 0;
    for (const slab of this.#holds.keys()) sum += slab.buffer.length;
    return sum;
  }

  /** Keeps a payload of so many bytes. */
  keep(payload: readonly Slice[], lengthBytes: number): KeptContent {
    const copied = lengthBytes <= Math.min(LIMITS.logCopyBytes, this.#pool.slabBytes);
    const slices = copied ? [this.#copy(payload, lengthBytes)] : payload.map((slice) => withoutHeadroom(slice));
    for (const { slab } of slices) this.#hold(slab);
    return new KeptContent(slices, this.#letGo);
  }

  #copy(payload: readonly Slice[], lengthBytes: number): Slice {
    const slab = this.#slabWithRoom(lengthBytes);
    const start = this.#filled;
    for (const slice of payload) {
      slice.slab.buffer.copy(slab.buffer, this.#filled, slice.start, slice.end);
      this.#filled += slice.length;
    }
    return new Slice(slab, start, this.#filled, 0);
  }

  #slabWithRoom(lengthBytes: number): Slab {
    const filling = this.#filling;
    if (filling !== undefined && this.#filled + lengthBytes <= filling.buffer.length) return filling;
    filling?.release();
    this.#filling = this.#pool.take();
    this.#filled = 0;
    return this.#filling;
  }

  #hold(slab: Slab): void {
    const holds = this.#holds.get(slab) ?? 0;
    this.#holds.set(slab, holds + 1);
    if (holds > 0) return;
    slab.retain();
    this.#heldBytes += slab.buffer.length;
  }

  readonly #letGo = (slices: readonly Slice[]): void => {
    for (const { slab } of slices) {
      const holds = this.#holds.get(slab) ?? 0;
      if (holds > 1) {
        this.#holds.set(slab, holds - 1);
        continue;
      }
      this.#holds.delete(slab);
      this.#heldBytes -= slab.buffer.length;
      // What is being filled is empty now: at rest nothing is held.
      if (slab === this.#filling) {
        this.#filling = undefined;
        slab.release();
      }
      slab.release();
    }
  };
}

/** What was before it in its slab is not part of what is kept. */
function withoutHeadroom({ slab, start, end }: Slice): Slice {
  return new Slice(slab, start, end, 0);
}
