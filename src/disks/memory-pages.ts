import type { Piece } from "../disk.ts";
import { ALLOCATION_FLAG } from "../protocol/constants.ts";
import { freshSlice } from "./commands.ts";

/** The unit of allocation, in bytes. */
const PAGE_BYTES = 64 * 1024;
/** What is not allocated, in the words of `base:allocation`. */
const ABSENT = ALLOCATION_FLAG.HOLE | ALLOCATION_FLAG.ZERO;

/** Bytes that are zeros until they are written; memory is allocated in pages of 64 KiB, on the first write. */
export class MemoryPages {
  /** By page number; an absent page reads as zeros. */
  readonly #pages = new Map<number, Buffer>();

  get allocatedBytes(): number {
    return this.#pages.size * PAGE_BYTES;
  }

  /** A copy of a range: the pages themselves may change before a reply has left. */
  read(offset: number, length: number): Piece[] {
    const pieces: Piece[] = [];
    const end = offset + length;
    for (let position = offset; position < end;) {
      const runEnd = this.#runEnd(position, end);
      pieces.push(this.#piece(position, runEnd));
      position = runEnd;
    }
    return pieces;
  }

  /**
   * What is allocated of a range of at least one byte, as `ContextStatus.extents` of `base:allocation`: at most so many, so
   * that the last ones of the range may be missing.
   */
  allocation(offset: number, length: number, mostExtents: number): Uint32Array {
    const pairs: number[] = [];
    const end = offset + length;
    for (let position = offset; position < end && pairs.length < 2 * mostExtents;) {
      const runEnd = this.#runEnd(position, end);
      pairs.push(runEnd - position, this.#isAllocated(position) ? 0 : ABSENT);
      position = runEnd;
    }
    return Uint32Array.from(pairs);
  }

  write(offset: number, bytes: Buffer): void {
    forEachPage(offset, offset + bytes.length, (page, from, to, done) => {
      let contents = this.#pages.get(page);
      if (contents === undefined) {
        contents = Buffer.alloc(PAGE_BYTES);
        this.#pages.set(page, contents);
      }
      bytes.copy(contents, from, done, done + to - from);
    });
  }

  /** Makes a range zeros; with `mayFree` the pages that it covers are given back. */
  clear(offset: number, length: number, mayFree: boolean): void {
    forEachPage(offset, offset + length, (page, from, to) => {
      if (mayFree && to - from === PAGE_BYTES) this.#pages.delete(page);
      else this.#pages.get(page)?.fill(0, from, to);
    });
  }

  /** Where the run of pages that are all allocated, or all absent, ends. */
  #runEnd(start: number, end: number): number {
    let page = Math.floor(start / PAGE_BYTES);
    const allocated = this.#pages.has(page);
    do page += 1;
    while (page * PAGE_BYTES < end && this.#pages.has(page) === allocated);
    return Math.min(page * PAGE_BYTES, end);
  }

  #isAllocated(offset: number): boolean {
    return this.#pages.has(Math.floor(offset / PAGE_BYTES));
  }

  #piece(start: number, end: number): Piece {
    if (!this.#isAllocated(start)) return { kind: "hole", lengthBytes: end - start };
    const slice = freshSlice(end - start);
    forEachPage(start, end, (page, from, to, done) => {
      this.#pages.get(page)?.copy(slice.slab.buffer, slice.start + done, from, to);
    });
    return { kind: "data", slice };
  }
}

/** Cuts a range at the borders of pages; `from` and `to` lie in the page, `done` is what came before it. */
function forEachPage(
  start: number,
  end: number,
  visit: (page: number, from: number, to: number, done: number) => void,
): void {
  for (let position = start; position < end;) {
    const page = Math.floor(position / PAGE_BYTES);
    const pageStart = page * PAGE_BYTES;
    const to = Math.min(end - pageStart, PAGE_BYTES);
    visit(page, position - pageStart, to, position - start);
    position = pageStart + to;
  }
}
