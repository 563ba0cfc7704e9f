import { describe, expect, it } from "vitest";

import type { DiskHandle, DiskUser, Piece, Reply } from "../../../src/disk.ts";
import { ReadAheadDisk } from "../../../src/disks/read-ahead-disk.ts";
import { COMMAND, COMMAND_FLAG, NBD_ERROR } from "../../../src/protocol/constants.ts";
import { Slab } from "../../../src/transport/slab.ts";
import { Slice } from "../../../src/transport/slice.ts";
import { diskBytes, HeldDisk } from "../support/held-disk.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { type Answer, request } from "./ask.ts";

// What structured replies ask of reading ahead: few chunks, room for their headers, DF, contexts, and what is said of errors.

const K = 1024;
const SIMPLE: DiskUser = { onReset: () => undefined, replyHeaderBytes: 16 };
const STRUCTURED: DiskUser = { onReset: () => undefined, replyHeaderBytes: 28 };

function setUp(user: DiskUser, cacheBytes = 1024 * K) {
  const below = new HeldDisk();
  const handle = new ReadAheadDisk(below, { cacheBytes, clock: new ManualClock() }).attach(user);
  return { below, handle };
}

/** The answer to a READ, once everything below is answered. */
function read(handle: DiskHandle, below: HeldDisk, offset: number, length: number, flags = 0): Answer | undefined {
  let answered: Answer | undefined;
  handle.submit(request({ offset, length, flags }, (answer) => (answered = answer)));
  below.answerAll();
  return answered;
}

/** Reads 4 KiB at a time up to `untilK`, so that what follows is here. */
function readOn(handle: DiskHandle, below: HeldDisk, untilK: number): void {
  for (let at = 0; at < untilK; at += 4) read(handle, below, at * K, 4 * K);
}

function piece(offset: number, length: number, continues: boolean): Piece {
  const slice = new Slice(new Slab(diskBytes(offset, length)), 0, length, 0);
  return continues ? { kind: "data", slice, continues } : { kind: "data", slice };
}

describe("ReadAheadDisk, for users of structured replies", () => {
  it("answers a read of many cells with pieces of one chunk, also where they come from several fetches", () => {
    const { below, handle } = setUp(STRUCTURED);
    readOn(handle, below, 64);
    const answer = read(handle, below, 64 * K + 512, 32 * K);
    expect(below.held).toEqual([]);
    const cells = Array.from({ length: 7 }, () => "+data 4096");
    expect(answer?.shape).toBe(["data 3584", ...cells, "+data 512"].join(", "));
    expect(answer?.data).toEqual(diskBytes(64 * K + 512, 32 * K));
  });

  it("does not use up the room in front of cells that continue a chunk", () => {
    const { below, handle } = setUp(STRUCTURED);
    readOn(handle, below, 64);
    const rooms = [
      [64, 8],
      [68, 4],
      [68, 4],
      [72, 4],
    ].map(([offset = 0, length = 0]) => read(handle, below, offset * K, length * K)?.headroomBytes);
    expect(rooms).toEqual([28, 28, 0, 28]);
  });

  it("leaves the room that the user's headers need, so that answers lie side by side", () => {
    for (const [user, roomBytes] of [
      [SIMPLE, 16],
      [STRUCTURED, 28],
      [{ onReset: () => undefined }, 28],
    ] as const) {
      const { below, handle } = setUp(user);
      readOn(handle, below, 64);
      const places: Piece[] = [];
      for (const offset of [72, 76])
        handle.submit({
          ...request({ offset: offset * K, length: 4 * K }, () => undefined),
          complete: (reply) => places.push(...reply.pieces),
        });
      const [one, two] = places.map((place) => (place.kind === "data" ? place.slice : undefined));
      expect([one?.headroomBytes, two?.headroomBytes]).toEqual([roomBytes, roomBytes]);
      expect([two?.slab === one?.slab, (two?.start ?? 0) - (one?.end ?? 0)]).toEqual([true, roomBytes]);
    }
  });

  it("makes one hole of many", () => {
    const { below, handle } = setUp(STRUCTURED);
    readOn(handle, below, 4);
    const holes = (): void => {
      while (below.held.length > 0) {
        const asked = below.held.shift();
        asked?.complete({ error: 0, pieces: [{ kind: "hole", lengthBytes: asked.length }], room: undefined });
      }
    };
    for (let at = 4; at < 64; at += 4) {
      handle.submit(request({ offset: at * K, length: 4 * K }, () => undefined));
      holes();
    }
    expect(read(handle, below, 64 * K, 16 * K)?.shape).toBe(`hole ${16 * K}`);
  });

  it("keeps the server's chunks of a read that it doubled, cut where the read ends", () => {
    const { below, handle } = setUp(STRUCTURED, 4096);
    let shape = "";
    handle.submit(request({ length: 2048 }, (answer) => ({ shape } = answer)));
    expect(below.held[0]).toMatchObject({ offset: 0, length: 4096 });
    const pieces = [piece(0, 1000, false), piece(1000, 500, true), piece(1500, 300, false), piece(1800, 2296, true)];
    below.held[0]?.complete({ error: 0, pieces, room: undefined });
    expect(shape).toBe("data 1000, +data 500, data 300, +data 248");
  });

  it("answers reads with DF from what it has, and fetches ahead of them without it", () => {
    const { below, handle } = setUp(STRUCTURED);
    for (let at = 0; at < 32; at += 4) read(handle, below, at * K, 4 * K, COMMAND_FLAG.DF);
    let answered = 0;
    handle.submit(request({ offset: 32 * K, length: 4 * K, flags: COMMAND_FLAG.DF }, () => (answered += 1)));
    expect(answered).toBe(1);
    expect(below.held.map(({ flags }) => flags)).toEqual(below.held.map(() => 0));
    const alone = setUp(STRUCTURED);
    alone.handle.submit(request({ offset: 32 * K, length: 4 * K, flags: COMMAND_FLAG.DF }, () => undefined));
    expect(alone.below.held).toMatchObject([{ flags: COMMAND_FLAG.DF, length: 4 * K }]);
  });

  it("reads again with DF what was fetched in vain for a read with DF", () => {
    const { below, handle } = setUp(STRUCTURED, 4096);
    handle.submit(request({ length: 2048, flags: COMMAND_FLAG.DF }, () => undefined));
    expect(below.held).toMatchObject([{ flags: 0, length: 4096 }]);
    below.answer(below.held[0], NBD_ERROR.EIO);
    expect(below.held).toMatchObject([{ flags: COMMAND_FLAG.DF, length: 2048 }]);
  });

  it("passes block status, and what is said of errors, up as they are", () => {
    const { below, handle } = setUp(STRUCTURED);
    const replies: Reply[] = [];
    const ask = (command: number): void =>
      handle.submit({
        ...request({ command, length: 512 }, () => undefined),
        complete: (reply) => replies.push(reply),
      });
    for (const command of [COMMAND.BLOCK_STATUS, COMMAND.READ, COMMAND.WRITE]) ask(command);
    const told: Reply[] = [
      { error: 0, pieces: [], room: undefined, statuses: [{ context: "a:b", extents: Uint32Array.of(512, 0) }] },
      { error: NBD_ERROR.EIO, pieces: [], room: undefined, detail: { text: "a bad sector", offset: 100 } },
      { error: NBD_ERROR.ENOSPC, pieces: [], room: undefined, detail: { text: "full", offset: undefined } },
    ];
    for (const [index, asked] of below.held.splice(0).entries()) {
      const reply = told[index];
      if (reply !== undefined) asked.complete(reply);
    }
    expect(replies).toEqual(told);
  });

  it("tells the disk below which contexts its users rely on, and that it relies on none itself", () => {
    const below = new HeldDisk();
    const disk = new ReadAheadDisk(below, { cacheBytes: 4096, clock: new ManualClock() });
    disk.attach({ ...STRUCTURED, contexts: ["base:allocation"] });
    disk.attach(SIMPLE);
    expect(below.users.map(({ contexts }) => contexts)).toEqual([undefined, ["base:allocation"], undefined]);
  });
});
