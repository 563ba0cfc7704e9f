import type { Piece } from "../disk.ts";
import { ReadAheadChunk } from "./read-ahead-chunk.ts";
import type { SequentialStream } from "./sequential-stream.ts";
import type { ReadPart, WaitingRead } from "./waiting-read.ts";

/**
 * Everything that was fetched ahead or is on its way, and what memory it takes: counted from the request until the last
 * reply that uses it has left. (Data is counted; the room for reply headers in between comes on top.)
 */
export class ReadAheadStore {
  /** A few to a stream: short enough to look through. */
  readonly #chunks: ReadAheadChunk[] = [];
  #heldBytes = 0;

  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** Makes a place for what is about to be asked for, with room for reply headers of so many bytes. */
  add(stream: SequentialStream, offset: number, lengthBytes: number, headerBytes: number): ReadAheadChunk {
    const chunk = new ReadAheadChunk(stream, offset, lengthBytes, headerBytes);
    this.#chunks.push(chunk);
    this.#count(chunk, lengthBytes);
    return chunk;
  }

  /** The parts that make up a range, in order; undefined when one is missing. */
  find(startOffset: number, endOffset: number): ReadPart[] | undefined {
    let parts: ReadPart[] | undefined;
    for (let position = startOffset; position < endOffset;) {
      const chunk = this.#usableAt(position);
      if (chunk === undefined) return undefined;
      const until = Math.min(endOffset, chunk.usableUntil(position));
      parts ??= [];
      parts.push({ chunk, startOffset: position, endOffset: until });
      position = until;
    }
    return parts;
  }

  /** These parts are given to a read, which holds what it needs of them: what is not wanted any more is let go. */
  take(parts: readonly ReadPart[]): void {
    for (const { chunk, startOffset, endOffset } of parts) {
      chunk.take(startOffset, endOffset);
      this.letGoUnwanted(chunk);
    }
  }

  /** Up to where everything from `offset` on was given to reads. */
  takenUntil(offset: number): number {
    let position = offset;
    for (let last = -1; last !== position;) {
      last = position;
      for (const chunk of this.#chunks) if (covers(chunk, position)) position = chunk.readUntil(position);
    }
    return position;
  }

  /** Nothing of this range is given to reads from now on. */
  drop(startOffset: number, endOffset: number): void {
    if (this.#chunks.length === 0) return;
    this.#dropFrom((chunk) => chunk.drop(startOffset, endOffset));
  }

  /** Nothing of what was fetched for this stream is given to reads from now on. */
  dropStream(stream: SequentialStream): void {
    this.#dropFrom((chunk) => {
      if (chunk.stream === stream) chunk.dropAll();
    });
  }

  /** Frees what is here of a stream and ends at or before `endOffset`. What is on its way would not be freed by dropping it. */
  free(stream: SequentialStream, endOffset: number): void {
    this.#dropFrom((chunk) => {
      if (chunk.stream === stream && chunk.slab !== undefined && chunk.endOffset <= endOffset) chunk.dropAll();
    });
  }

  dropAll(): void {
    this.#dropFrom((chunk) => chunk.dropAll());
  }

  /** The data of a chunk is here, behind `skipBytes` of something else. It is copied if anybody is going to read it. */
  arrived(chunk: ReadAheadChunk, pieces: readonly Piece[], skipBytes: number): void {
    const used = chunk.wanted || chunk.waiting.some((read) => !read.over);
    if (used) chunk.fill(pieces, skipBytes, () => this.#count(chunk, -chunk.lengthBytes));
    else this.cancel(chunk);
  }

  /** The data of a chunk will never be here, or of no use. */
  cancel(chunk: ReadAheadChunk): void {
    this.#remove(chunk);
    this.#count(chunk, -chunk.lengthBytes);
  }

  /** A chunk that is here and wanted by nobody any more is let go. */
  letGoUnwanted(chunk: ReadAheadChunk): void {
    const { slab } = chunk;
    if (!chunk.wanted && slab !== undefined && this.#remove(chunk)) slab.release();
  }

  /** All reads that wait for a chunk. */
  waiting(): Set<WaitingRead> {
    return new Set(this.#chunks.flatMap((chunk) => chunk.waiting));
  }

  #dropFrom(drop: (chunk: ReadAheadChunk) => void): void {
    for (const chunk of [...this.#chunks]) {
      drop(chunk);
      this.letGoUnwanted(chunk);
    }
  }

  #usableAt(offset: number): ReadAheadChunk | undefined {
    for (const chunk of this.#chunks) if (covers(chunk, offset) && chunk.usableUntil(offset) > offset) return chunk;
    return undefined;
  }

  #remove(chunk: ReadAheadChunk): boolean {
    const index = this.#chunks.indexOf(chunk);
    if (index < 0) return false;
    this.#chunks.splice(index, 1);
    return true;
  }

  #count(chunk: ReadAheadChunk, bytes: number): void {
    this.#heldBytes += bytes;
    chunk.stream.heldBytes += bytes;
  }
}

function covers(chunk: ReadAheadChunk, offset: number): boolean {
  return chunk.offset <= offset && offset < chunk.endOffset;
}
