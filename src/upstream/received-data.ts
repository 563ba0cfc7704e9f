import type { Piece } from "../disk.ts";
import type { Slab } from "../transport/slab.ts";
import { Slice } from "../transport/slice.ts";

/** The data of one reply, or of one chunk, as it lies in the slabs in which it came; they are held until it is released. */
export class ReceivedData {
  readonly #slices: Slice[] = [];
  #headerSlab: Slab | undefined;
  #headerEnd = 0;
  #headerBytes = 0;

  get isEmpty(): boolean {
    return this.#slices.length === 0;
  }

  /** The data follows a header of so many bytes that ends there: if it is right behind it, the header is its headroom. */
  begin(headerSlab: Slab, headerEnd: number, headerBytes: number): void {
    this.#headerSlab = headerSlab;
    this.#headerEnd = headerEnd;
    this.#headerBytes = headerBytes;
  }

  /** Bytes [start, end) of a slab are the next ones. */
  append(slab: Slab, start: number, end: number): void {
    const last = this.#slices.at(-1);
    if (last !== undefined && last.slab === slab && last.end === start) {
      last.end = end;
      return;
    }
    slab.retain();
    const behindHeader = last === undefined && this.#headerSlab === slab && this.#headerEnd === start;
    this.#slices.push(new Slice(slab, start, end, behindHeader ? this.#headerBytes : 0));
  }

  /** Adds all of it to the pieces of a reply. */
  appendTo(pieces: Piece[]): void {
    let continues = false;
    for (const slice of this.#slices) {
      pieces.push(continues ? { kind: "data", slice, continues } : { kind: "data", slice });
      continues = true;
    }
  }

  /** Lets go of the slabs; nothing is left. */
  release(): void {
    this.#headerSlab = undefined;
    for (const slice of this.#slices) slice.slab.release();
    this.#slices.length = 0;
  }
}
