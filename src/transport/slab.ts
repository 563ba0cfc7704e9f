import assert from "node:assert";

/** A block of memory that many messages share; it counts who needs it and goes home when nobody does. */
export class Slab {
  readonly buffer: Buffer;
  readonly view: DataView;
  readonly #home: ((slab: Slab) => void) | undefined;
  #references = 1;

  /** A slab with one reference, which the maker holds. `home` takes it back when the last reference is released. */
  constructor(buffer: Buffer, home?: (slab: Slab) => void) {
    this.buffer = buffer;
    this.view = new DataView(buffer.buffer, buffer.byteOffset, buffer.length);
    this.#home = home;
  }

  get references(): number {
    return this.#references;
  }

  retain(): void {
    // A slab that went home may already carry another message's bytes.
    assert(this.#references > 0, "retained a slab that was released");
    this.#references += 1;
  }

  release(): void {
    assert(this.#references > 0, "released a slab once too often");
    this.#references -= 1;
    if (this.#references === 0) this.#home?.(this);
  }

  /** Makes a slab that went home usable again, with one reference. */
  reuse(): void {
    assert(this.#references === 0, "reused a slab that is still needed");
    this.#references = 1;
  }
}
