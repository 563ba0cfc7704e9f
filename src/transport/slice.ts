import type { Slab } from "./slab.ts";

/**
 * A range of bytes in a slab, from `start` up to `end`. The `headroomBytes` before `start` belong to the same message and may
 * be overwritten once, to put another header in front without a copy. A slice does not hold its slab: whoever keeps a
 * slice retains the slab.
 */
export class Slice {
  readonly slab: Slab;
  readonly start: number;
  end: number;
  readonly headroomBytes: number;

  constructor(slab: Slab, start: number, end: number, headroomBytes: number) {
    this.slab = slab;
    this.start = start;
    this.end = end;
    this.headroomBytes = headroomBytes;
  }

  get length(): number {
    return this.end - this.start;
  }

  /** The bytes themselves, not a copy. */
  bytes(): Buffer {
    return this.slab.buffer.subarray(this.start, this.end);
  }
}
