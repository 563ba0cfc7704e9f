import { Slab } from "./slab.ts";
import { Slice } from "./slice.ts";

/** Room for message headers that have no place of their own beside their data: small slabs, filled one after another. */
export class HeaderSpace {
  readonly #slabBytes: number;
  #slab: Slab;
  #filled = 0;

  constructor(slabBytes: number) {
    this.#slabBytes = slabBytes;
    this.#slab = new Slab(Buffer.allocUnsafeSlow(slabBytes));
  }

  /** An empty slice with a headroom of `lengthBytes`, at most the size of a slab. */
  take(lengthBytes: number): Slice {
    // What was handed out may still be leaving: a full slab is dropped, not used again.
    if (this.#filled + lengthBytes > this.#slabBytes) {
      this.#slab = new Slab(Buffer.allocUnsafeSlow(this.#slabBytes));
      this.#filled = 0;
    }
    this.#filled += lengthBytes;
    return new Slice(this.#slab, this.#filled, this.#filled, lengthBytes);
  }
}
