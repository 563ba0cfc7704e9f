import type { Disk, DiskHandle, DiskRequest, DiskUser, Piece } from "../../../src/disk.ts";
import { COMMAND, NBD_ERROR } from "../../../src/protocol/constants.ts";
import type { Geometry } from "../../../src/protocol/geometry.ts";
import { Slab } from "../../../src/transport/slab.ts";
import { Slice } from "../../../src/transport/slice.ts";
import { ALL_FLAGS } from "./negotiation.ts";

/** A geometry with everything offered; what a test cares about is given. */
export function geometry(fields: Partial<Geometry> = {}): Geometry {
  return {
    sizeBytes: 1024 * 1024,
    flags: ALL_FLAGS,
    minimumBlockBytes: 1,
    preferredBlockBytes: 4096,
    maximumPayloadBytes: 32 * 1024 * 1024,
    name: "",
    description: "",
    contexts: [],
    ...fields,
  };
}

/** A disk that answers nothing before the test does. */
export class HeldDisk implements Disk {
  geometry: Geometry;
  readonly users: DiskUser[] = [];
  closedHandles = 0;
  /** Not yet answered, in the order of submission. */
  readonly held: DiskRequest[] = [];
  /** Whether a user that leaves gets its requests dropped. */
  dropsOnClose = true;

  constructor(fields: Partial<Geometry> = {}) {
    this.geometry = geometry(fields);
  }

  attach(user: DiskUser): DiskHandle {
    this.users.push(user);
    const mine = new Set<DiskRequest>();
    return {
      submit: (request) => {
        mine.add(request);
        this.held.push(request);
      },
      close: () => {
        this.closedHandles += 1;
        if (!this.dropsOnClose) return;
        for (const request of this.held.filter((one) => mine.has(one))) this.answer(request, NBD_ERROR.ESHUTDOWN);
      },
    };
  }

  /** Answers one request; a READ gets bytes that follow from its offset. */
  answer(request: DiskRequest | undefined, error = 0): void {
    if (request === undefined) throw new Error("there is no such request");
    this.held.splice(this.held.indexOf(request), 1);
    const pieces: Piece[] = error === 0 && request.command === COMMAND.READ ? [diskData(request)] : [];
    request.complete({ error, pieces, room: undefined });
  }

  answerAll(error = 0): void {
    while (this.held.length > 0) this.answer(this.held[0], error);
  }
}

/** What a HeldDisk contains: every byte is the low part of its position. */
export function diskBytes(offset: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let index = 0; index < length; index += 1) bytes[index] = (offset + index) & 0xff;
  return bytes;
}

function diskData({ offset, length }: DiskRequest): Piece {
  const slab = new Slab(Buffer.concat([Buffer.alloc(16), diskBytes(offset, length)]));
  return { kind: "data", slice: new Slice(slab, 16, 16 + length, 16) };
}
