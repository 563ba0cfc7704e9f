import { Slab } from "./slab.ts";

/** How a SlabPool is made. */
export interface SlabPoolOptions {
  /** The size of every slab. */
  readonly slabBytes: number;
  /** How many slabs nobody needs are kept for the next who asks. */
  readonly idleSlabs: number;
  /** Overwrites what comes home, so that a test sees who still reads it. */
  readonly poison?: boolean;
}

/** Slabs of one size, handed out again when their last reference is gone: the warmest first. */
export class SlabPool {
  readonly slabBytes: number;
  readonly #idleSlabs: number;
  readonly #poison: boolean;
  readonly #idle: Slab[] = [];
  #heldSlabs = 0;

  constructor(options: SlabPoolOptions) {
    this.slabBytes = options.slabBytes;
    this.#idleSlabs = options.idleSlabs;
    this.#poison = options.poison ?? false;
  }

  /** The memory of all slabs that somebody needs, in bytes. */
  get heldBytes(): number {
    return this.#heldSlabs * this.slabBytes;
  }

  /** A slab with one reference. Its bytes are those of earlier messages: use only what was received into it. */
  take(): Slab {
    this.#heldSlabs += 1;
    const idle = this.#idle.pop();
    if (idle === undefined) return new Slab(Buffer.allocUnsafeSlow(this.slabBytes), this.#comeHome);
    idle.reuse();
    return idle;
  }

  readonly #comeHome = (slab: Slab): void => {
    this.#heldSlabs -= 1;
    if (this.#poison) slab.buffer.fill(0xdb);
    if (this.#idle.length < this.#idleSlabs) this.#idle.push(slab);
  };
}
