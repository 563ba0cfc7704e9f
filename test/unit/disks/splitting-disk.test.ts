import { describe, expect, it } from "vitest";

import type { DiskRequest, Piece, Reply } from "../../../src/disk.ts";
import { SplittingDisk } from "../../../src/disks/splitting-disk.ts";
import { COMMAND, COMMAND_FLAG, NBD_ERROR } from "../../../src/protocol/constants.ts";
import type { Geometry } from "../../../src/protocol/geometry.ts";
import { Slab } from "../../../src/transport/slab.ts";
import { Slice } from "../../../src/transport/slice.ts";
import { diskBytes, HeldDisk } from "../support/held-disk.ts";
import { type Answer, attach, request } from "./ask.ts";

const { READ, WRITE } = COMMAND;
const SUCCESS: Reply = { error: 0, pieces: [], room: undefined };

/** A SplittingDisk over one that takes 1000 bytes at a time, with a user. */
function setUp(fields: Partial<Geometry> = {}) {
  const below = new HeldDisk({ maximumPayloadBytes: 1000, ...fields });
  const disk = new SplittingDisk(below);
  const handle = attach(disk);
  const replies: Reply[] = [];
  const submit = (asked: Partial<Omit<DiskRequest, "complete">>): DiskRequest => {
    const one: DiskRequest = {
      ...request(asked, () => undefined),
      complete: (reply) => replies.push({ ...reply, pieces: [...reply.pieces] }),
    };
    handle.submit(one);
    return one;
  };
  const asked = (): string[] =>
    below.held.map(
      ({ command, flags, offset, length }) => `${command}${flags === 0 ? "" : `/${flags}`} ${offset}+${length}`,
    );
  return { below, disk, handle, submit, replies, asked };
}

/** A payload in one slab, with room for a header in front, cut into slices of these lengths. */
function payloadOf(...lengths: readonly number[]): Slice[] {
  const slab = new Slab(
    Buffer.concat([
      Buffer.alloc(28),
      diskBytes(
        0,
        lengths.reduce((sum, one) => sum + one, 0),
      ),
    ]),
  );
  let at = 28;
  return lengths.map((length, index) => {
    at += length;
    return new Slice(slab, at - length, at, index === 0 ? 28 : 0);
  });
}

const bytesOf = (payload: readonly Slice[]): Buffer => Buffer.concat(payload.map((slice) => slice.bytes()));

function dataPiece(text: string): Piece {
  return { kind: "data", slice: new Slice(new Slab(Buffer.from(text)), 0, text.length, 0) };
}

describe("SplittingDisk, with a request that fits", () => {
  it.each([
    ["a READ of the maximum", { command: READ, length: 1000 }],
    ["a WRITE of the maximum", { command: WRITE, length: 1000, payload: payloadOf(1000) }],
    ["a READ of nothing", { command: READ, length: 0 }],
    ["a TRIM of any length", { command: COMMAND.TRIM, length: 5000 }],
    ["WRITE_ZEROES of any length", { command: COMMAND.WRITE_ZEROES, length: 5000 }],
    ["CACHE of any length", { command: COMMAND.CACHE, length: 5000 }],
    ["BLOCK_STATUS of any length", { command: COMMAND.BLOCK_STATUS, length: 5000 }],
    ["FLUSH", { command: COMMAND.FLUSH }],
  ])("passes the very same one on: %s", (_name, fields) => {
    const { below, submit } = setUp();
    const one = submit(fields);
    expect(below.held).toEqual([one]);
    expect(below.held[0]).toBe(one);
  });
});

describe("SplittingDisk, with a longer READ", () => {
  it("asks for all parts at once, in order, with the request's flags, and its room for the first", () => {
    const { below, submit, asked } = setUp();
    const room = new Slice(new Slab(Buffer.alloc(28)), 28, 28, 28);
    submit({ offset: 500, length: 2500, flags: COMMAND_FLAG.DF | COMMAND_FLAG.FUA, room });
    expect(asked()).toEqual(["0/5 500+1000", "0/5 1500+1000", "0/5 2500+500"]);
    expect(below.held.map((one) => one.room)).toEqual([room, undefined, undefined]);
    expect(below.held.map(({ payload }) => payload)).toEqual([[], [], []]);
  });

  it("answers when all of them are there, in whatever order they came, with everything in its place", () => {
    const { below, handle } = setUp();
    const answers: Answer[] = [];
    handle.submit(request({ offset: 500, length: 2500 }, (answer) => answers.push(answer)));
    const [first, second, third] = below.held;
    below.answer(third);
    below.answer(first);
    expect(answers).toEqual([]);
    below.answer(second);
    expect(answers).toMatchObject([{ error: 0, shape: "data 1000, data 1000, data 500", headroomBytes: 16 }]);
    expect(answers[0]?.data).toEqual(diskBytes(500, 2500));
  });

  it("keeps holes, and which chunk data belongs to", () => {
    const { below, handle } = setUp({ maximumPayloadBytes: 4 });
    let shape = "";
    handle.submit(request({ length: 8 }, (answer) => ({ shape } = answer)));
    const [first, second] = below.held;
    second?.complete({
      ...SUCCESS,
      pieces: [dataPiece("a"), { ...dataPiece("b"), continues: true } as Piece, dataPiece("cd")],
    });
    first?.complete({ ...SUCCESS, pieces: [{ kind: "hole", lengthBytes: 3 }, dataPiece("z")] });
    expect(shape).toBe("hole 3, data 1, data 1, +data 1, data 2");
  });

  it("holds what it was given until all of it is passed on, and no longer", () => {
    const { below, submit, replies } = setUp();
    submit({ length: 2000 });
    const slabs = below.held.map(() => new Slab(Buffer.alloc(1000)));
    for (const [index, one] of below.held.splice(0).entries()) {
      const slab = slabs[index] ?? new Slab(Buffer.alloc(0));
      const slice = new Slice(slab, 0, 1000, 0);
      one.complete({ ...SUCCESS, pieces: [{ kind: "data", slice }] });
      // Slices are the giver's again.
      slice.end = 0;
      if (index === 0) expect(slab.references).toBe(2);
    }
    expect(slabs.map(({ references }) => references)).toEqual([1, 1]);
    expect(replies[0]?.pieces.map((piece) => (piece.kind === "data" ? piece.slice.length : 0))).toEqual([1000, 1000]);
  });
});

describe("SplittingDisk, with a longer WRITE", () => {
  it.each([[[300, 900, 0, 800, 1500]], [[3500]], [[1000, 1000, 1000, 500]], [[1, 3499]]])(
    "cuts a payload in slices of %j without a copy, and gives room for a header to the first part alone",
    (lengths) => {
      const { below, submit, asked } = setUp();
      const payload = payloadOf(...lengths);
      submit({ command: WRITE, flags: COMMAND_FLAG.FUA, offset: 7, length: 3500, payload });
      expect(asked()).toEqual(["1/1 7+1000", "1/1 1007+1000", "1/1 2007+1000", "1/1 3007+500"]);
      expect(Buffer.concat(below.held.map((one) => bytesOf(one.payload)))).toEqual(diskBytes(0, 3500));
      for (const [index, one] of below.held.entries()) {
        expect(bytesOf(one.payload)).toHaveLength(one.length);
        expect(one.payload.map(({ headroomBytes }) => headroomBytes > 0)).toEqual(
          one.payload.map((_, place) => index === 0 && place === 0),
        );
        expect(one.payload.every(({ slab }) => slab === payload[0]?.slab)).toBe(true);
      }
      expect(payload.map(({ length }) => length)).toEqual(lengths);
    },
  );

  it("answers once, with the room of the last reply that came", () => {
    const { below, submit, replies } = setUp();
    submit({ command: WRITE, length: 3000, payload: payloadOf(3000) });
    const rooms = [0, 1, 2].map(() => new Slice(new Slab(Buffer.alloc(16)), 16, 16, 16));
    for (const index of [1, 2, 0]) below.held[index]?.complete({ ...SUCCESS, room: rooms[index] });
    expect(replies).toEqual([{ ...SUCCESS, room: rooms[0] }]);
    expect(replies[0]?.room).toBe(rooms[0]);
  });

  it("makes parts of whole blocks", () => {
    const { submit, asked } = setUp({ minimumBlockBytes: 512, maximumPayloadBytes: 1500 });
    submit({ command: WRITE, offset: 512, length: 2560, payload: payloadOf(2560) });
    submit({ offset: 512, length: 1024 });
    submit({ offset: 512, length: 1536 });
    expect(asked()).toEqual(["1 512+1024", "1 1536+1024", "1 2560+512", "0 512+1024", "0 512+1024", "0 1536+512"]);
  });
});

describe("SplittingDisk, when parts fail", () => {
  it.each([[[0, 1, 2]], [[2, 1, 0]], [[1, 0, 2]], [[2, 0, 1]]])(
    "answers with the error that comes first on the disk, when all parts are answered: in order %j",
    (order) => {
      const { below, submit, replies } = setUp();
      submit({ length: 3000 });
      const slab = new Slab(Buffer.alloc(1000));
      const detail = { text: "a bad sector", offset: 1500 };
      const told: Reply[] = [
        { ...SUCCESS, pieces: [{ kind: "data", slice: new Slice(slab, 0, 1000, 0) }] },
        { ...SUCCESS, error: NBD_ERROR.EIO, detail },
        { ...SUCCESS, error: NBD_ERROR.ENOMEM, detail: { text: "another", offset: 2500 } },
      ];
      for (const index of order) {
        expect(replies).toEqual([]);
        below.held[index]?.complete(told[index] ?? SUCCESS);
      }
      expect(replies).toEqual([{ error: NBD_ERROR.EIO, pieces: [], room: undefined, detail }]);
      expect(slab.references).toBe(1);
    },
  );

  it("has no detail when that part has none", () => {
    const { below, submit, replies } = setUp();
    submit({ command: WRITE, length: 2000, payload: payloadOf(2000) });
    below.held[1]?.complete({ ...SUCCESS, error: NBD_ERROR.ENOSPC, detail: { text: "full", offset: undefined } });
    below.held[0]?.complete({ ...SUCCESS, error: NBD_ERROR.EIO });
    expect(replies).toEqual([{ error: NBD_ERROR.EIO, pieces: [], room: undefined }]);
  });

  it("answers once when the user leaves", () => {
    const { handle, submit, replies, below } = setUp();
    submit({ length: 3000 });
    handle.close();
    expect(replies).toEqual([{ ...SUCCESS, error: NBD_ERROR.ESHUTDOWN }]);
    expect(below.closedHandles).toBe(1);
  });
});

describe("SplittingDisk", () => {
  it("looks like the disk below, and passes its users on", () => {
    const { below, disk } = setUp();
    expect(disk.geometry).toBe(below.geometry);
    const user = { onReset: () => undefined, contexts: ["base:allocation"] };
    disk.attach(user);
    expect(below.users.at(-1)).toBe(user);
  });

  it("follows a disk that became another one while nobody used it", () => {
    const { below, disk, handle } = setUp();
    handle.close();
    below.geometry = { ...below.geometry, maximumPayloadBytes: 3000 };
    expect(disk.geometry.maximumPayloadBytes).toBe(3000);
    attach(disk).submit(request({ length: 5000 }, () => undefined));
    expect(below.held.map(({ length }) => length)).toEqual([3000, 2000]);
  });

  it("works over a disk that answers during the call", () => {
    const below = new HeldDisk({ maximumPayloadBytes: 10 });
    const handle = attach(
      new SplittingDisk({
        geometry: below.geometry,
        attach: () => ({
          submit: (one) => {
            below.held.push(one);
            below.answer(one);
          },
          close: () => undefined,
        }),
      }),
    );
    const answers: Answer[] = [];
    handle.submit(request({ offset: 5, length: 35 }, (answer) => answers.push(answer)));
    expect(answers).toMatchObject([{ error: 0, data: diskBytes(5, 35) }]);
  });
});
