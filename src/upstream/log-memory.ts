import assert from "node:assert";
import type { LogContent } from "../durability/write-log.ts";
import type { Slab } from "../transport/slab.ts";
import type { SlabPool } from "../transport/slab-pool.ts";
import { Slice } from "../transport/slice.ts";

/** A slab that the log holds, and for how many slices. */
interface HeldSlab {
  readonly slab: Slab;
  slices: number;
}

/** The bytes of an acknowledged WRITE, as long as a fragment of the log needs them. */
export class KeptContent implements LogContent {
  readonly #memory: LogMemory;
  /** The first slice, taken apart: there are thousands of these, and what outlives its request costs most. */
  readonly #held: HeldSlab;
  readonly #start: number;
  readonly #end: number;
  /** Most payloads are in one piece. */
  readonly #rest: readonly Slice[] | undefined;
  #fragments = 0;

  /** `held` is for the first slice. */
  constructor(memory: LogMemory, held: HeldSlab, { start, end }: Slice, rest: readonly Slice[] | undefined) {
    this.#memory = memory;
    this.#held = held;
    this.#start = start;
    this.#end = end;
    this.#rest = rest;
  }

  retain(): void {
    this.#fragments += 1;
  }

  release(): void {
    this.#fragments -= 1;
    if (this.#fragments > 0) return;
    this.#memory.letGo(this.#held);
    if (this.#rest !== undefined) for (const { slab } of this.#rest) this.#memory.letGoOf(slab);
  }

  /** Adds bytes [start, end) of it to a payload. They are good as long as the fragment is in the log. */
  appendTo(payload: Slice[], start: number, end: number): void {
    const first = new Slice(this.#held.slab, this.#start, this.#end, 0);
    let at = appendPart(payload, first, 0, start, end);
    for (const slice of this.#rest ?? []) at = appendPart(payload, slice, at, start, end);
  }
}

/** Adds what a slice has of bytes [start, end) of a content in which it begins at `at`. Returns where it ends. */
function appendPart(payload: Slice[], slice: Slice, at: number, start: number, end: number): number {
  const behind = at + slice.length;
  const from = Math.max(start, at);
  const to = Math.min(end, behind);
  const begin = slice.start - at;
  if (from < to) payload.push(new Slice(slice.slab, begin + from, begin + to, 0));
  return behind;
}

/**
 * The memory of the write log. Payloads stay in the slabs in which they came; what is left of them later can be copied
 * together, because little of it would keep a whole slab. Everything that is held on to is counted, by whole slabs.
 */
export class LogMemory {
  readonly #pool: SlabPool;
  readonly #held = new Map<Slab, HeldSlab>();
  /** The one that was asked for last: many writes come in the same slab. */
  #latest: HeldSlab | undefined;
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
    for (const slab of this.#held.keys()) sum += slab.buffer.length;
    return sum;
  }

  /** Whether copies are being put into it. */
  isFilling(slab: Slab): boolean {
    return slab === this.#filling;
  }

  /** Keeps a payload, which has at least one slice, where it is. */
  keep(payload: readonly Slice[]): KeptContent {
    const first = payload[0];
    assert(first !== undefined, "kept a payload without bytes");
    const held = this.#hold(first.slab);
    if (payload.length === 1) return new KeptContent(this, held, first, undefined);
    const rest = payload.slice(1);
    for (const { slab } of rest) this.#hold(slab);
    return new KeptContent(this, held, first, rest);
  }

  /** Keeps a copy of a payload of so many bytes, which fit into a slab, beside other copies. */
  copy(payload: readonly Slice[], lengthBytes: number): KeptContent {
    const slab = this.#slabWithRoom(lengthBytes);
    const start = this.#filled;
    for (const slice of payload) {
      slice.slab.buffer.copy(slab.buffer, this.#filled, slice.start, slice.end);
      this.#filled += slice.length;
    }
    return new KeptContent(this, this.#hold(slab), new Slice(slab, start, this.#filled, 0), undefined);
  }

  /** One of the slices in a slab is not needed any more. */
  letGoOf(slab: Slab): void {
    const held = this.#held.get(slab);
    assert(held !== undefined, "let go of a slab that is not held");
    this.letGo(held);
  }

  /** The same. */
  letGo(held: HeldSlab): void {
    held.slices -= 1;
    if (held.slices > 0) return;
    const { slab } = held;
    if (this.#latest === held) this.#latest = undefined;
    this.#held.delete(slab);
    this.#heldBytes -= slab.buffer.length;
    // What is being filled is empty now: at rest nothing is held.
    if (slab === this.#filling) {
      this.#filling = undefined;
      slab.release();
    }
    slab.release();
  }

  #slabWithRoom(lengthBytes: number): Slab {
    const filling = this.#filling;
    if (filling !== undefined && this.#filled + lengthBytes <= filling.buffer.length) return filling;
    filling?.release();
    this.#filling = this.#pool.take();
    this.#filled = 0;
    return this.#filling;
  }

  #hold(slab: Slab): HeldSlab {
    let held = this.#latest?.slab === slab ? this.#latest : this.#held.get(slab);
    if (held === undefined) {
      held = { slab, slices: 0 };
      this.#held.set(slab, held);
      slab.retain();
      this.#heldBytes += slab.buffer.length;
    }
    held.slices += 1;
    this.#latest = held;
    return held;
  }
}
