import { describe, expect, it } from "vitest";

import type { Piece, Reply } from "../../../src/disk.ts";
import { StructuredReplyWriter } from "../../../src/downstream/structured-reply-writer.ts";
import { COMMAND, COMMAND_FLAG, NBD_ERROR } from "../../../src/protocol/constants.ts";
import type { RequestHeader } from "../../../src/protocol/request-header.ts";
import { Slab } from "../../../src/transport/slab.ts";
import { Slice } from "../../../src/transport/slice.ts";
import {
  dataChunkBytes,
  doneBytes,
  errorChunkBytes,
  holeChunkBytes,
  replyBytes,
  statusChunkBytes,
} from "../support/naive-codec.ts";
import { settle } from "../support/settle.ts";
import { continued, data, hole, outletOf, piece } from "./written-replies.ts";

const cookie = 0x0102_0304_8506_0708n;
const ONE = { id: 0xfffe_0001, name: "base:allocation" };
const TWO = { id: 7, name: "qemu:dirty" };
const DONE = true;
/** Far enough to need both halves of an offset. */
const FAR = 0x1_2345_6789;

/** Writes one reply to a request; what has left, and the chunks of memory that it left in. */
async function write(
  reply: Partial<Reply>,
  request: Partial<RequestHeader> = {},
  contexts = [ONE, TWO],
): Promise<{ heard: Buffer; writes: readonly number[] }> {
  const { stream, outlet } = outletOf();
  new StructuredReplyWriter(outlet, contexts).write(
    { error: 0, pieces: [], room: undefined, ...reply },
    {
      command: COMMAND.READ,
      flags: 0,
      cookieHigh: 0x0102_0304,
      cookieLow: 0x8506_0708,
      offset: FAR,
      length: 10,
      ...request,
    },
  );
  await settle();
  return { heard: stream.heard, writes: stream.writes.flat() };
}

function read(pieces: readonly Piece[], request: Partial<RequestHeader> = {}): ReturnType<typeof write> {
  return write({ pieces }, request);
}

const dataChunk = (offset: number, text: string, done = false): Buffer =>
  dataChunkBytes({ cookie, done, offset, data: Buffer.from(text) });
const holeChunk = (offset: number, length: number, done = false): Buffer =>
  holeChunkBytes({ cookie, done, offset, length });
const errorChunk = (error: number, text?: string, offset?: number): Buffer =>
  errorChunkBytes({
    cookie,
    error,
    ...(text === undefined ? {} : { text }),
    ...(offset === undefined ? {} : { offset }),
  });

describe("StructuredReplyWriter, with a READ", () => {
  it("writes the header of the chunk in place, so that header and data leave as one", async () => {
    const { heard, writes } = await read([piece(data("0123456789", 28))]);
    expect(heard).toEqual(dataChunk(FAR, "0123456789", DONE));
    expect(writes).toEqual([38]);
  });

  it("writes it elsewhere when there is too little room in front of the data", async () => {
    const slice = data("0123456789", 27);
    const { heard, writes } = await read([piece(slice)]);
    expect(heard).toEqual(dataChunk(FAR, "0123456789", DONE));
    expect(writes).toEqual([28, 10]);
    expect(slice.slab.buffer.toString()).toBe(`${"-".repeat(27)}0123456789`);
  });

  it("keeps the chunks and the holes that there are, each with its place", async () => {
    const { heard } = await read([hole(3), piece(data("34", 28)), piece(data("56", 0)), hole(3)]);
    const expected = [
      holeChunk(FAR, 3),
      dataChunk(FAR + 3, "34"),
      dataChunk(FAR + 5, "56"),
      holeChunk(FAR + 7, 3, DONE),
    ];
    expect(heard).toEqual(Buffer.concat(expected));
  });

  it("sends pieces that belong together as one chunk, with the first one's room, and leaves the others' alone", async () => {
    const later = data("45", 28);
    const { heard, writes } = await read([
      piece(data("0123", 28)),
      continued(later),
      piece(data("67", 28)),
      continued(data("89", 0)),
    ]);
    expect(heard).toEqual(Buffer.concat([dataChunk(FAR, "012345"), dataChunk(FAR + 6, "6789", DONE)]));
    expect(writes).toEqual([32, 2, 30, 2]);
    expect(later.slab.buffer.toString("latin1", 0, 28)).toBe("-".repeat(28));
  });

  it("makes one hole of neighbours", async () => {
    expect((await read([hole(4), hole(3), piece(data("789", 0))])).heard).toEqual(
      Buffer.concat([holeChunk(FAR, 7), dataChunk(FAR + 7, "789", DONE)]),
    );
  });

  it("begins a chunk with data that has nothing to continue", async () => {
    expect((await read([hole(8), continued(data("89", 0))])).heard).toEqual(
      Buffer.concat([holeChunk(FAR, 8), dataChunk(FAR + 8, "89", DONE)]),
    );
  });

  it("merges what lies side by side in one slab into one piece of memory", async () => {
    const slab = new Slab(Buffer.alloc(28 + 4 + 28 + 6));
    slab.buffer.write("0123", 28);
    slab.buffer.write("456789", 60);
    const { heard, writes } = await read([piece(new Slice(slab, 28, 32, 28)), piece(new Slice(slab, 60, 66, 28))]);
    expect(heard).toEqual(Buffer.concat([dataChunk(FAR, "0123"), dataChunk(FAR + 4, "456789", DONE)]));
    expect(writes).toEqual([66]);
  });

  it("answers a READ of no bytes with a chunk without content, whatever the pieces are", async () => {
    for (const pieces of [[], [piece(data("", 28))]]) {
      expect((await read(pieces, { length: 0 })).heard).toEqual(doneBytes(cookie));
    }
  });

  it("asserts that the pieces have the length of the request, and none is empty", async () => {
    await expect(read([hole(9)])).rejects.toThrow("do not have its length");
    await expect(read([hole(11)])).rejects.toThrow("do not have its length");
    await expect(read([])).rejects.toThrow("do not have its length");
    await expect(read([hole(10), piece(data("", 0))])).rejects.toThrow("without a byte");
  });
});

describe("StructuredReplyWriter, with a READ that has DF", () => {
  const flags = COMMAND_FLAG.DF | COMMAND_FLAG.FUA;

  it("makes one chunk of everything, and fills holes with zeros", async () => {
    const pieces = [hole(2), piece(data("23", 28)), hole(2), continued(data("67", 0)), piece(data("89", 0))];
    expect((await read(pieces, { flags })).heard).toEqual(dataChunk(FAR, "\0\x0023\0\x006789", DONE));
  });

  it("writes the header in place when data comes first", async () => {
    const { heard, writes } = await read([piece(data("0123", 28)), hole(6)], { flags });
    expect(heard).toEqual(dataChunk(FAR, "0123\0\0\0\0\0\0", DONE));
    expect(writes).toEqual([32, 6]);
  });

  it("keeps a hole that is all there is", async () => {
    expect((await read([hole(4), hole(6)], { flags })).heard).toEqual(holeChunk(FAR, 10, DONE));
  });
});

describe("StructuredReplyWriter, with BLOCK_STATUS", () => {
  const command = COMMAND.BLOCK_STATUS;
  const one = { context: ONE.name, extents: Uint32Array.of(4, 0, 0xffff_ffff, 3) };
  const two = { context: TWO.name, extents: Uint32Array.of(10, 0x8000_0001) };
  const other = { context: "not:selected", extents: Uint32Array.of(10, 9) };

  it("tells about every context that the client selected, in its order and under its id, and about no other", async () => {
    const { heard } = await write({ statuses: [two, other, one] }, { command });
    const expected = [
      statusChunkBytes({
        cookie,
        done: false,
        id: ONE.id,
        extents: [
          [4, 0],
          [0xffff_ffff, 3],
        ],
      }),
      statusChunkBytes({ cookie, id: TWO.id, extents: [[10, 0x8000_0001]] }),
    ];
    expect(heard).toEqual(Buffer.concat(expected));
    expect((await write({ statuses: [one, two] }, { command }, [TWO])).heard).toEqual(
      statusChunkBytes({ cookie, id: TWO.id, extents: [[10, 0x8000_0001]] }),
    );
  });

  it("sends as many extents as there are", async () => {
    const extents = Uint32Array.from({ length: 2 * 4096 }, (_, index) => index + 1);
    const pairs = Array.from({ length: 4096 }, (_, index): [number, number] => [2 * index + 1, 2 * index + 2]);
    const { heard } = await write({ statuses: [{ context: ONE.name, extents }] }, { command }, [ONE]);
    expect(heard.equals(statusChunkBytes({ cookie, id: ONE.id, extents: pairs }))).toBe(true);
  });

  it.each([[[one]], [[]], [undefined]])("refuses with a text when a context is missing", async (statuses) => {
    const reply = statuses === undefined ? {} : { statuses };
    const { heard } = await write(reply, { command });
    const name = statuses?.length === 1 ? TWO.name : ONE.name;
    expect(heard).toEqual(errorChunk(22, `the server does not tell about ${name} any more`));
  });

  it("says an error in a chunk", async () => {
    expect((await write({ error: NBD_ERROR.EIO }, { command })).heard).toEqual(errorChunk(5));
  });
});

describe("StructuredReplyWriter, with an error", () => {
  it("says that of a READ in a chunk, with what else is known of it", async () => {
    expect((await write({ error: NBD_ERROR.EIO })).heard).toEqual(errorChunk(5));
    const detail = { text: "a bad sector, très mauvais", offset: FAR + 9 };
    const { heard } = await write({ error: NBD_ERROR.EIO, detail });
    expect(heard).toEqual(errorChunk(5, detail.text, FAR + 9));
    const noPlace = await write({ error: NBD_ERROR.EIO, detail: { text: "bad", offset: undefined } });
    expect(noPlace.heard).toEqual(errorChunk(5, "bad"));
  });

  it.each([FAR - 1, FAR + 10, 0, 2 ** 60])("leaves out a place that was not asked for: %i", async (offset) => {
    const { heard } = await write({ error: NBD_ERROR.EIO, detail: { text: "bad", offset } });
    expect(heard).toEqual(errorChunk(5, "bad"));
  });

  it("says that of another command in a chunk when there is more to say than its value, else in a simple reply", async () => {
    const command = COMMAND.WRITE;
    const detail = { text: "no space", offset: undefined };
    expect((await write({ error: NBD_ERROR.ENOSPC, detail }, { command })).heard).toEqual(errorChunk(28, "no space"));
    const room = data("", 16);
    const simple = await write({ error: NBD_ERROR.ENOSPC, room }, { command });
    expect(simple.heard).toEqual(replyBytes({ error: 28, cookie }));
    expect(room.slab.buffer).toEqual(replyBytes({ error: 28, cookie }));
  });

  it("says what the text does not name as EINVAL, in chunks and out of them", async () => {
    expect((await write({ error: 4711 })).heard).toEqual(errorChunk(22));
    expect((await write({ error: 4711 }, { command: COMMAND.TRIM })).heard).toEqual(replyBytes({ error: 22, cookie }));
  });

  it("writes many of them side by side", async () => {
    const { stream, outlet } = outletOf();
    const replies = new StructuredReplyWriter(outlet, []);
    const request = { command: 0, flags: 0, cookieHigh: 0, offset: 0, length: 1 };
    for (let cookieLow = 0; cookieLow < 100; cookieLow += 1)
      replies.write({ error: 5, pieces: [], room: undefined }, { ...request, cookieLow });
    await settle();
    const expected = Array.from({ length: 100 }, (_, low) => errorChunkBytes({ cookie: BigInt(low), error: 5 }));
    expect(stream.heard).toEqual(Buffer.concat(expected));
    expect(stream.writes).toEqual([[2600]]);
  });
});

describe("StructuredReplyWriter, with the success of another command", () => {
  it.each([COMMAND.WRITE, COMMAND.FLUSH, COMMAND.TRIM, COMMAND.CACHE, COMMAND.WRITE_ZEROES])(
    "is simple, in place: %i",
    async (command) => {
      const room = data("", 28);
      const { heard, writes } = await write({ room }, { command });
      expect(heard).toEqual(replyBytes({ cookie }));
      expect(writes).toEqual([16]);
      expect(room.slab.buffer.subarray(12)).toEqual(replyBytes({ cookie }));
    },
  );
});
