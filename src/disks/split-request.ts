import type { DiskHandle, DiskRequest, Piece, Reply } from "../disk.ts";
import { Slice } from "../transport/slice.ts";

/** A READ or WRITE that goes down in parts, all at once, and is answered when all of them are. */
export class SplitRequest {
  readonly #request: DiskRequest;
  readonly #partBytes: number;
  /** Copies of the pieces of each part that has succeeded; their slabs are held. */
  readonly #pieces: Piece[][] = [];
  #missing: number;
  /** The error that comes first in order of offsets, so far. */
  #failure: { readonly part: number; readonly reply: Pick<Reply, "error" | "detail"> } | undefined;

  /** Parts are `partBytes` long, the last one perhaps shorter. */
  constructor(request: DiskRequest, partBytes: number) {
    this.#request = request;
    this.#partBytes = partBytes;
    this.#missing = Math.ceil(request.length / partBytes);
  }

  /** Gives all parts to the disk below, in order of their offsets. */
  submit(below: DiskHandle): void {
    const { command, flags, offset, length, payload, room } = this.#request;
    const cutter = new PayloadCutter(payload);
    for (let start = 0; start < length; start += this.#partBytes) {
      const partLength = Math.min(this.#partBytes, length - start);
      const part = start / this.#partBytes;
      below.submit({
        command,
        flags,
        offset: offset + start,
        length: partLength,
        payload: payload.length === 0 ? payload : cutter.next(partLength),
        // There is one place for a header, in front of the first part.
        room: part === 0 ? room : undefined,
        complete: (reply) => this.#answered(part, reply),
      });
    }
  }

  #answered(part: number, reply: Reply): void {
    this.#missing -= 1;
    if (reply.error === 0) this.#keep(part, reply.pieces);
    else if (this.#failure === undefined || part < this.#failure.part)
      this.#failure = { part, reply: failureOf(reply) };
    if (this.#missing === 0) this.#complete(reply.room);
  }

  #keep(part: number, pieces: readonly Piece[]): void {
    this.#pieces[part] = pieces.map((piece) => {
      if (piece.kind === "hole") return piece;
      const { slab, start, end, headroomBytes } = piece.slice;
      slab.retain();
      return { ...piece, slice: new Slice(slab, start, end, headroomBytes) };
    });
  }

  #complete(room: Slice | undefined): void {
    const failure = this.#failure?.reply;
    // Parts that failed are missing among them.
    const pieces = this.#pieces.flat();
    this.#request.complete(failure === undefined ? { error: 0, pieces, room } : { ...failure, pieces: [], room });
    for (const piece of pieces) if (piece.kind === "data") piece.slice.slab.release();
  }
}

/** Cuts a payload into parts, one after the other. */
class PayloadCutter {
  readonly #payload: readonly Slice[];
  #index = 0;
  /** Bytes of the slice at `#index` that were handed out. */
  #usedBytes = 0;

  constructor(payload: readonly Slice[]) {
    this.#payload = payload;
  }

  /** The next so many bytes, which must be there. A slice keeps its headroom where it is not cut in front. */
  next(lengthBytes: number): Slice[] {
    const part: Slice[] = [];
    for (let leftBytes = lengthBytes; leftBytes > 0;) {
      const whole = this.#payload[this.#index];
      if (whole === undefined) break;
      const start = whole.start + this.#usedBytes;
      const end = Math.min(whole.end, start + leftBytes);
      part.push(new Slice(whole.slab, start, end, this.#usedBytes === 0 ? whole.headroomBytes : 0));
      leftBytes -= end - start;
      this.#usedBytes += end - start;
      if (end < whole.end) break;
      this.#index += 1;
      this.#usedBytes = 0;
    }
    return part;
  }
}

function failureOf({ error, detail }: Reply): Pick<Reply, "error" | "detail"> {
  return detail === undefined ? { error } : { error, detail };
}
