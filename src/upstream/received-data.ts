import type { Piece } from "../disk.ts";
import type { Slab } from "../transport/slab.ts";
import { Slice } from "../transport/slice.ts";

const NO_PIECES: readonly Piece[] = [];

/** The data of one reply, or of one chunk, as it lies in the slabs in which it came; they are held until it is released. */
export class ReceivedData {
  /** Most data is in one piece. */
  #first: Slice | undefined;
  #last: Slice | undefined;
  readonly #rest: Slice[] = [];
  #headerSlab: Slab | undefined;
  #headerEnd = 0;
  #headerBytes = 0;

  get isEmpty(): boolean {
    return this.#first === undefined;
  }

  /** The data follows a header of so many bytes that ends there: if it is right behind it, the header is its headroom. */
  begin(headerSlab: Slab, headerEnd: number, headerBytes: number): void {
    this.#headerSlab = headerSlab;
    this.#headerEnd = headerEnd;
    this.#headerBytes = headerBytes;
  }

  /** Bytes [start, end) of a slab are the next ones. */
  append(slab: Slab, start: number, end: number): void {
    const last = this.#last;
    if (last !== undefined && last.slab === slab && last.end === start) {
      last.end = end;
      return;
    }
    slab.retain();
    const behindHeader = last === undefined && this.#headerSlab === slab && this.#headerEnd === start;
    const slice = new Slice(slab, start, end, behindHeader ? this.#headerBytes : 0);
    if (last === undefined) this.#first = slice;
    else this.#rest.push(slice);
    this.#last = slice;
  }

  /** All of it as the pieces of a reply. */
  pieces(): readonly Piece[] {
    if (this.#first === undefined) return NO_PIECES;
    const first: Piece = { kind: "data", slice: this.#first };
    if (this.#rest.length === 0) return [first];
    return [first, ...this.#rest.map((slice): Piece => ({ kind: "data", slice, continues: true }))];
  }

  /** Lets go of the slabs; nothing is left. */
  release(): void {
    this.#headerSlab = undefined;
    if (this.#first === undefined) return;
    this.#first.slab.release();
    this.#first = undefined;
    this.#last = undefined;
    if (this.#rest.length === 0) return;
    for (const slice of this.#rest) slice.slab.release();
    this.#rest.length = 0;
  }
}
