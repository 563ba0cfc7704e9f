import assert from "node:assert";

import type { DiskRequest } from "../disk.ts";
import { COMMAND, COMMAND_FLAG } from "../protocol/constants.ts";
import type { Slice } from "../transport/slice.ts";
import { MemoryPages } from "./memory-pages.ts";

/** A range of a disk, from `start` up to `end`. */
export interface CachedRange {
  readonly start: number;
  readonly end: number;
}

/** A range that is held, and the command and flags with which it goes to the disk below. */
export interface CachedRun extends CachedRange {
  readonly command: number;
  readonly flags: number;
}

/** What a run is counted with, beside its pages: with very many of them, every write would take its time to find its place. */
const RUN_BYTES = 4096;

/** The newest contents of ranges of a disk: what a write cache holds. */
export class WriteCacheContents {
  readonly #pages = new MemoryPages();
  /** In order, without overlap. What they do not cover is zeros in the pages, and means nothing. */
  readonly #runs: CachedRun[] = [];

  /** What is held, in order. */
  get runs(): readonly CachedRun[] {
    return this.#runs;
  }

  /** The memory in use. */
  get heldBytes(): number {
    return this.#pages.allocatedBytes + this.#runs.length * RUN_BYTES;
  }

  /** Takes what a WRITE, WRITE_ZEROES or TRIM says; the latter two read as zeros from now on. */
  put({ command, flags, offset, length, payload }: DiskRequest): void {
    if (command === COMMAND.WRITE) this.#write(offset, payload);
    else this.#clear({ start: offset, end: offset + length, command, flags: flags & COMMAND_FLAG.NO_HOLE });
  }

  /** Whether anything of a range is held. */
  overlaps(start: number, end: number): boolean {
    const run = this.#runs[this.#place(start)];
    return run !== undefined && run.start < end;
  }

  /** Copies what is held of a range into `target`, whose first byte is the one at `origin`; returns what is not held. */
  copyTo(target: Buffer, origin: number, { start, end }: CachedRange): CachedRange[] {
    const gaps: CachedRange[] = [];
    let position = start;
    for (const run of this.#within(start, end)) {
      if (run.start > position) gaps.push({ start: position, end: run.start });
      position = run.start;
      for (const piece of this.#pages.read(run.start, run.end - run.start)) {
        const at = position - origin;
        if (piece.kind === "data") position += piece.slice.bytes().copy(target, at);
        else {
          target.fill(0, at, at + piece.lengthBytes);
          position += piece.lengthBytes;
        }
      }
    }
    if (position < end) gaps.push({ start: position, end });
    return gaps;
  }

  /** A copy of the data of a range that lies in a run of a WRITE. */
  data(start: number, end: number): Slice {
    const [piece, ...rest] = this.#pages.read(start, end - start);
    assert(piece?.kind === "data" && rest.length === 0, "a part of what was written is not there");
    return piece.slice;
  }

  /** Puts what the other one holds on top. */
  cover(newer: WriteCacheContents): void {
    for (const run of newer.runs) this.#copyFrom(newer, run);
  }

  /** Moves what is held of a range to another one, on top of what that holds. */
  moveTo(other: WriteCacheContents, { start, end }: CachedRange): void {
    for (const run of this.#within(start, end)) other.#copyFrom(this, run);
    this.#pages.clear(start, end - start, true);
    this.#replace(start, end);
  }

  #copyFrom(other: WriteCacheContents, run: CachedRun): void {
    if (run.command === COMMAND.WRITE) this.#write(run.start, [other.data(run.start, run.end)]);
    else this.#clear(run);
  }

  #write(offset: number, payload: readonly Slice[]): void {
    let end = offset;
    for (const slice of payload) {
      this.#pages.write(end, slice.bytes());
      end += slice.length;
    }
    this.#replace(offset, end, { start: offset, end, command: COMMAND.WRITE, flags: 0 });
  }

  #clear(run: CachedRun): void {
    this.#pages.clear(run.start, run.end - run.start, true);
    this.#replace(run.start, run.end, run);
  }

  /** The runs in a range, cut at its borders. */
  #within(start: number, end: number): CachedRun[] {
    const within: CachedRun[] = [];
    for (let index = this.#place(start); index < this.#runs.length; index += 1) {
      const run = this.#runs[index];
      if (run === undefined || run.start >= end) break;
      within.push({ ...run, start: Math.max(start, run.start), end: Math.min(end, run.end) });
    }
    return within;
  }

  /** Where the first run is, or would be, that ends behind `start`. */
  #place(start: number): number {
    let low = 0;
    let high = this.#runs.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#runs[middle]?.end ?? Infinity) > start) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /** Cuts a range out of the runs, and puts a run in its place, joined with neighbours of its kind. */
  #replace(start: number, end: number, by?: CachedRun): void {
    const first = this.#place(start);
    let last = first;
    while ((this.#runs[last]?.start ?? Infinity) < end) last += 1;
    const from = Math.max(0, first - 1);
    const around = this.#runs.slice(from, last + 1);
    const before = around.map((run) => ({ ...run, end: Math.min(run.end, start) }));
    const behind = around.map((run) => ({ ...run, start: Math.max(run.start, end) }));
    const parts = [...before, ...(by === undefined ? [] : [by]), ...behind].filter((run) => run.start < run.end);
    this.#runs.splice(from, around.length, ...joined(parts));
  }
}

/** The runs, where neighbours that touch and go below in the same way are one. */
function joined(runs: readonly CachedRun[]): CachedRun[] {
  const result: CachedRun[] = [];
  for (const run of runs) {
    const last = result.at(-1);
    if (last?.end === run.start && last.command === run.command && last.flags === run.flags) {
      result[result.length - 1] = { ...last, end: run.end };
    } else result.push(run);
  }
  return result;
}
