import type { Disk, DiskHandle, DiskRequest, DiskUser, Piece } from "../../../src/disk.ts";
import { COMMAND, COMMAND_FLAG } from "../../../src/protocol/constants.ts";
import type { Geometry } from "../../../src/protocol/geometry.ts";
import { Slab } from "../../../src/transport/slab.ts";
import { Slice } from "../../../src/transport/slice.ts";
import { geometry } from "../support/held-disk.ts";

/** One piece of a READ's answer, as a PiecesDisk makes it. */
export interface PieceShape {
  readonly kind: "data" | "hole";
  readonly lengthBytes: number;
  readonly headroomBytes: number;
  readonly continues: boolean;
  /** Whether it lies in the slab of the data before it, right behind it and its own headroom. */
  readonly adjacent: boolean;
}

/**
 * A disk that answers READs at once, in pieces of the shapes that it is given, over and over. Data is never 0, holes are; where
 * a hole is follows from the offset alone, so that every reader sees the same, whatever the shapes are. Block status is told of
 * every context, in `extents` extents.
 */
export class PiecesDisk implements Disk {
  readonly geometry: Geometry;
  readonly contents: Buffer;
  shapes: readonly PieceShape[];
  extents = 3;

  constructor(contents: Buffer, shapes: readonly PieceShape[], fields: Partial<Geometry> = {}) {
    this.contents = contents;
    this.shapes = shapes;
    this.geometry = geometry({ sizeBytes: contents.length, ...fields });
  }

  attach(_user: DiskUser): DiskHandle {
    return { submit: (request) => this.#answer(request), close: () => undefined };
  }

  #answer(request: DiskRequest): void {
    if (request.command === COMMAND.BLOCK_STATUS) {
      const extents = extentsOf(request, this.extents);
      const statuses = this.geometry.contexts.map((context) => ({ context, extents })).toReversed();
      request.complete({ error: 0, pieces: [], room: undefined, statuses });
    } else {
      const pieces = request.command === COMMAND.READ ? this.#pieces(request) : [];
      request.complete({ error: 0, pieces, room: undefined });
    }
  }

  #pieces({ offset, length }: DiskRequest): Piece[] {
    const pieces: Piece[] = [];
    let slab = new Slab(Buffer.alloc(0));
    let filled = 0;
    for (let at = 0; at < length;) {
      const shape = this.shapes[pieces.length % this.shapes.length];
      const size = Math.min(length - at, shape?.lengthBytes ?? length);
      const bytes = this.contents.subarray(offset + at, offset + at + size);
      at += size;
      if (shape?.kind === "hole" && bytes.every((byte) => byte === 0)) {
        pieces.push({ kind: "hole", lengthBytes: size });
        continue;
      }
      const headroomBytes = shape?.headroomBytes ?? 0;
      if (shape?.adjacent !== true || filled + headroomBytes + size > slab.buffer.length) {
        slab = new Slab(Buffer.alloc(headroomBytes + size + 1000, 0xee));
        filled = 0;
      }
      const start = filled + headroomBytes;
      filled = start + size;
      bytes.copy(slab.buffer, start);
      const slice = new Slice(slab, start, filled, headroomBytes);
      const continues = shape?.continues === true && pieces.at(-1)?.kind === "data";
      pieces.push(continues ? { kind: "data", slice, continues } : { kind: "data", slice });
    }
    return pieces;
  }
}

/** Extents that cover a range exactly, at most so many. */
function extentsOf({ length, flags }: DiskRequest, most: number): Uint32Array {
  const count = (flags & COMMAND_FLAG.REQ_ONE) === 0 ? Math.min(length, most) : 1;
  const pairs = Array.from({ length: count }, (_, index) => {
    const size = Math.floor(length / count);
    return [index === count - 1 ? length - size * (count - 1) : size, index];
  });
  return Uint32Array.from(pairs.flat());
}
