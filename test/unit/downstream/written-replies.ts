import type { Piece } from "../../../src/disk.ts";
import { ReplyOutlet } from "../../../src/downstream/reply-outlet.ts";
import { BatchedWriter } from "../../../src/transport/batched-writer.ts";
import { Slab } from "../../../src/transport/slab.ts";
import { Slice } from "../../../src/transport/slice.ts";
import { FakeStream } from "../support/fake-stream.ts";

/** A way out, and what leaves through it. */
export function outletOf() {
  const stream = new FakeStream();
  const owner = { batchWaits: () => undefined, batchLeft: () => undefined };
  return { stream, outlet: new ReplyOutlet(new BatchedWriter(stream, owner)) };
}

/** Data in a slab with `headroomBytes` in front of it. */
export function data(text: string, headroomBytes: number): Slice {
  const slab = new Slab(Buffer.from("-".repeat(headroomBytes) + text));
  return new Slice(slab, headroomBytes, headroomBytes + text.length, headroomBytes);
}

export function piece(slice: Slice): Piece {
  return { kind: "data", slice };
}

/** A piece that belongs to the chunk of the one before it. */
export function continued(slice: Slice): Piece {
  return { kind: "data", slice, continues: true };
}

export function hole(lengthBytes: number): Piece {
  return { kind: "hole", lengthBytes };
}
