import type { Disk, DiskHandle, DiskRequest, Piece, Reply } from "../../../src/disk.ts";
import { COMMAND } from "../../../src/protocol/constants.ts";
import { Slab } from "../../../src/transport/slab.ts";
import { Slice } from "../../../src/transport/slice.ts";

/** What became of a request: the error, and for a READ its bytes and the shape of its pieces. */
export interface Answer {
  readonly error: number;
  readonly data: Buffer;
  /** Such as `data 512, +data 512, hole 9`; a plus where data continues the chunk before. */
  readonly shape: string;
  readonly headroomBytes: number | undefined;
}

/** A request with what matters filled in; `complete` is given the answer. */
export function request(
  fields: Partial<Omit<DiskRequest, "complete">>,
  answered: (answer: Answer) => void,
): DiskRequest {
  return {
    command: COMMAND.READ,
    flags: 0,
    offset: 0,
    length: 0,
    payload: [],
    room: undefined,
    ...fields,
    complete: (reply) => answered(answerOf(reply)),
  };
}

/** Submits one request and waits for its answer. A second completion is an error of its own. */
export function ask(handle: DiskHandle, fields: Partial<Omit<DiskRequest, "complete">>): Promise<Answer> {
  return new Promise((resolve, reject) => {
    let count = 0;
    handle.submit(
      request(fields, (answer) => {
        count += 1;
        if (count > 1) reject(new Error("completed twice"));
        resolve(answer);
      }),
    );
  });
}

/** A WRITE of these bytes, cut into slices of the given lengths (the rest in one more). */
export function write(offset: number, bytes: Buffer, ...cuts: number[]): Partial<Omit<DiskRequest, "complete">> {
  const payload: Slice[] = [];
  let start = 0;
  for (const length of [...cuts, bytes.length - cuts.reduce((sum, cut) => sum + cut, 0)]) {
    payload.push(new Slice(new Slab(Buffer.from(bytes)), start, start + length, 0));
    start += length;
  }
  return { command: COMMAND.WRITE, offset, length: bytes.length, payload };
}

/** A user of a disk that does not mind resets. */
export function attach(disk: Disk): DiskHandle {
  return disk.attach({ onReset: () => undefined });
}

function plus(piece: Piece): string {
  return piece.kind === "data" && piece.continues === true ? "+" : "";
}

function answerOf(reply: Reply): Answer {
  const parts = reply.pieces.map((piece) =>
    piece.kind === "data" ? Buffer.from(piece.slice.bytes()) : Buffer.alloc(piece.lengthBytes),
  );
  const first = reply.pieces[0];
  return {
    error: reply.error,
    data: Buffer.concat(parts),
    shape: reply.pieces.map((piece, index) => `${plus(piece)}${piece.kind} ${parts[index]?.length}`).join(", "),
    headroomBytes: first?.kind === "data" ? first.slice.headroomBytes : undefined,
  };
}
