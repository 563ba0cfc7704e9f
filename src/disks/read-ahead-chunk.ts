import assert from "node:assert";
import type { Piece } from "../disk.ts";
import { Slab } from "../transport/slab.ts";
import { Slice } from "../transport/slice.ts";
import type { SequentialStream } from "./sequential-stream.ts";
import type { WaitingRead } from "./waiting-read.ts";

/** What is known of a cell, as bits. */
const DROPPED = 1;
const READ = 2;
const HEADROOM_USED = 4;
const HOLE = 8;

/** Smaller cells would be more headroom than data. */
const SMALLEST_CELL_BYTES = 512;

/**
 * One range that is fetched ahead: first on its way, then here, in memory of its own.
 *
 * It is kept in cells of the length of the reader's reads, each behind room for a reply header, so that the answer to a read
 * leaves as it lies there, and the answers to many as one piece of memory. A cell is also what a write drops.
 */
export class ReadAheadChunk {
  readonly offset: number;
  readonly endOffset: number;
  readonly stream: SequentialStream;
  readonly #headerBytes: number;
  /** Reads that wait for it while it is on its way. */
  readonly waiting: WaitingRead[] = [];
  readonly #cellBytes: number;
  readonly #cells: Uint8Array;
  #slab: Slab | undefined;
  #wantedCells: number;

  /** `headerBytes` is the room that a reply header needs. */
  constructor(stream: SequentialStream, offset: number, lengthBytes: number, headerBytes: number) {
    this.stream = stream;
    this.#headerBytes = headerBytes;
    this.offset = offset;
    this.endOffset = offset + lengthBytes;
    this.#cellBytes = stream.lengthBytes * Math.max(1, Math.ceil(SMALLEST_CELL_BYTES / stream.lengthBytes));
    this.#cells = new Uint8Array(Math.ceil(lengthBytes / this.#cellBytes));
    this.#wantedCells = this.#cells.length;
  }

  get lengthBytes(): number {
    return this.endOffset - this.offset;
  }

  /** Its memory, once the data is here. */
  get slab(): Slab | undefined {
    return this.#slab;
  }

  /** Whether some of it may still be read for the first time. */
  get wanted(): boolean {
    return this.#wantedCells > 0;
  }

  /** Up to where the bytes from `offset` on, which lies in the chunk, may be used; `offset` itself when they may not. */
  usableUntil(offset: number): number {
    return this.#runEnd(offset, DROPPED, 0);
  }

  /** Up to where the bytes from `offset` on, which lies in the chunk, were read. */
  readUntil(offset: number): number {
    return this.#runEnd(offset, READ, READ);
  }

  /** Bytes of this range must not be given to any read that comes from now on. */
  drop(startOffset: number, endOffset: number): void {
    if (startOffset >= this.endOffset || endOffset <= this.offset) return;
    const last = this.#cellAt(Math.min(endOffset, this.endOffset) - 1);
    for (let cell = this.#cellAt(Math.max(startOffset, this.offset)); cell <= last; cell += 1)
      this.#mark(cell, DROPPED);
  }

  dropAll(): void {
    this.drop(this.offset, this.endOffset);
  }

  /** This range, which lies in the chunk, is given to a read: cells that it reads to their end are not wanted any more. */
  take(startOffset: number, endOffset: number): void {
    const end = endOffset === this.endOffset ? this.#cells.length : this.#cellAt(endOffset);
    for (let cell = this.#cellAt(startOffset); cell < end; cell += 1) this.#mark(cell, READ);
  }

  /** The data is here: a copy of what follows the first `skipBytes` of the pieces. `home` is told when its memory is free. */
  fill(pieces: readonly Piece[], skipBytes: number, home: () => void): void {
    const isHole = pieces.every((piece) => piece.kind === "hole");
    const slabBytes = isHole ? 0 : this.lengthBytes + this.#cells.length * this.#headerBytes;
    this.#slab = new Slab(Buffer.allocUnsafeSlow(slabBytes), home);
    let position = this.offset - skipBytes;
    for (const piece of pieces) {
      const end = position + (piece.kind === "data" ? piece.slice.length : piece.lengthBytes);
      const start = Math.max(position, this.offset);
      if (start < end && !isHole) this.#store(this.#slab, piece, start - position, start, end);
      position = end;
    }
    assert(position === this.endOffset, "the pieces of a READ do not have its length");
    if (isHole) for (const [cell, known] of this.#cells.entries()) this.#cells[cell] = known | HOLE;
  }

  /** Adds what answers a read of this range, which lies in the chunk. The data must be here. */
  appendPieces(startOffset: number, endOffset: number, pieces: Piece[]): void {
    const slab = this.#slab;
    if (slab === undefined) return;
    for (let position = startOffset; position < endOffset;) {
      const cell = this.#cellAt(position);
      const end = Math.min(endOffset, this.#cellEnd(cell));
      if (this.#has(cell, HOLE)) appendHole(end - position, pieces);
      else this.#appendData(slab, position, end, pieces);
      position = end;
    }
  }

  /** Cells are of our own making: whoever reads several of them gets what they hold in one chunk. */
  #appendData(slab: Slab, startOffset: number, endOffset: number, pieces: Piece[]): void {
    const cell = this.#cellAt(startOffset);
    const at = this.#placeOf(startOffset, cell);
    const continues = pieces.at(-1)?.kind === "data";
    const slice = new Slice(slab, at, at + endOffset - startOffset, continues ? 0 : this.#headroom(startOffset, cell));
    pieces.push(continues ? { kind: "data", slice, continues } : { kind: "data", slice });
  }

  /** What lies in front of a cell may be overwritten once: a second header would change one that is still leaving. */
  #headroom(position: number, cell: number): number {
    if (position !== this.offset + cell * this.#cellBytes || this.#has(cell, HEADROOM_USED)) return 0;
    this.#cells[cell] = (this.#cells[cell] ?? 0) | HEADROOM_USED;
    return this.#headerBytes;
  }

  #store(slab: Slab, piece: Piece, from: number, startOffset: number, endOffset: number): void {
    for (let position = startOffset; position < endOffset;) {
      const cell = this.#cellAt(position);
      const end = Math.min(endOffset, this.#cellEnd(cell));
      const at = this.#placeOf(position, cell);
      if (piece.kind === "data") {
        const begin = piece.slice.start + from + position - startOffset;
        piece.slice.slab.buffer.copy(slab.buffer, at, begin, begin + end - position);
      } else {
        slab.buffer.fill(0, at, at + end - position);
      }
      position = end;
    }
  }

  #runEnd(offset: number, mask: number, value: number): number {
    let cell = this.#cellAt(offset);
    if (((this.#cells[cell] ?? 0) & mask) !== value) return offset;
    do cell += 1;
    while (cell < this.#cells.length && ((this.#cells[cell] ?? 0) & mask) === value);
    return this.#cellEnd(cell - 1);
  }

  #mark(cell: number, bit: number): void {
    const known = this.#cells[cell] ?? 0;
    if ((known & (DROPPED | READ)) === 0) this.#wantedCells -= 1;
    this.#cells[cell] = known | bit;
  }

  #has(cell: number, bit: number): boolean {
    return ((this.#cells[cell] ?? 0) & bit) !== 0;
  }

  #cellAt(offset: number): number {
    return Math.floor((offset - this.offset) / this.#cellBytes);
  }

  #cellEnd(cell: number): number {
    return Math.min(this.endOffset, this.offset + (cell + 1) * this.#cellBytes);
  }

  /** Where the byte of that offset lies in the slab. */
  #placeOf(offset: number, cell: number): number {
    return offset - this.offset + (cell + 1) * this.#headerBytes;
  }
}

function appendHole(lengthBytes: number, pieces: Piece[]): void {
  const last = pieces.at(-1);
  if (last?.kind === "hole") pieces[pieces.length - 1] = { kind: "hole", lengthBytes: last.lengthBytes + lengthBytes };
  else pieces.push({ kind: "hole", lengthBytes });
}
