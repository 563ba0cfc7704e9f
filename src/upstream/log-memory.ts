import assert from "node:assert";
import type { LogContent } from "../durability/write-log.ts";
import type { Slab } from "../transport/slab.ts";
import type { SlabPool } from "../transport/slab-pool.ts";
import { Slice } from "../transport/slice.ts";

/** The bytes of an acknowledged WRITE, as long as a fragment of the log needs them. */
export class KeptContent implements LogContent {
  readonly #memory: LogMemory;
  readonly #first: Slice;
  /** Most payloads are in one piece. */
  readonly #rest: readonly Slice[] | undefined;
  #fragments = 0;

  constructor(memory: LogMemory, first: Slice, rest: readonly Slice[] | undefined) {
    this.#memory = memory;
    this.#first = first;
    this.#rest = rest;
  }

  retain(): void {
    this.#fragments += 1;
  }

  release(): void {
    this.#fragments -= 1;
    if (this.#fragments > 0) return;
    this.#memory.letGo(this.#first.slab);
    if (this.#rest !== undefined) for (const { slab } of this.#rest) this.#memory.letGo(slab);
  }

  /** Adds bytes [start, end) of it to a payload. They are good as long as the fragment is in the log. */
  appendTo(payload: Slice[], start: number, end: number): void {
    let at = appendPart(payload, this.#first, 0, start, end);
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

  /** Keeps a payload, which has at least one slice, where it is. */
  keep(payload: readonly Slice[]): KeptContent {
    const [first, ...rest] = payload;
    assert(first !== undefined, "kept a payload without bytes");
    for (const { slab } of payload) this.#hold(slab);
    return new KeptContent(this, first, rest.length === 0 ? undefined : rest);
  }

  /** Keeps a copy of a payload of so many bytes, which fit into a slab, beside other copies. */
  copy(payload: readonly Slice[], lengthBytes: number): KeptContent {
    const slab = this.#slabWithRoom(lengthBytes);
    const start = this.#filled;
    for (const slice of payload) {
      slice.slab.buffer.copy(slab.buffer, this.#filled, slice.start, slice.end);
      this.#filled += slice.length;
    }
    this.#hold(slab);
    return new KeptContent(this, new Slice(slab, start, this.#filled, 0), undefined);
  }

  /** One of the slices in a slab is not needed any more. */
  letGo(slab: Slab): void {
    const holds = this.#holds.get(slab) ?? 0;
    if (holds > 1) {
      this.#holds.set(slab, holds - 1);
      return;
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
}
