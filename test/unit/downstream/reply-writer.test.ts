import { describe, expect, it } from "vitest";

import type { Piece } from "../../../src/disk.ts";
import { ReplyWriter } from "../../../src/downstream/reply-writer.ts";
import { BatchedWriter } from "../../../src/transport/batched-writer.ts";
import { Slab } from "../../../src/transport/slab.ts";
import { Slice } from "../../../src/transport/slice.ts";
import { FakeStream } from "../support/fake-stream.ts";
import { replyBytes } from "../support/naive-codec.ts";
import { settle } from "../support/settle.ts";

function setUp() {
  const stream = new FakeStream();
  const replies = new ReplyWriter(
    new BatchedWriter(stream, { batchWaits: () => undefined, batchLeft: () => undefined }),
  );
  return { stream, replies };
}

/** Data in a slab with `headroomBytes` in front of it. */
function data(text: string, headroomBytes: number): Slice {
  const slab = new Slab(Buffer.from("-".repeat(headroomBytes) + text));
  return new Slice(slab, headroomBytes, headroomBytes + text.length, headroomBytes);
}

function piece(slice: Slice): Piece {
  return { kind: "data", slice };
}

const COOKIE = 0x0102_0304_8506_0708n;
const [HIGH, LOW] = [0x0102_0304, 0x8506_0708];

describe("ReplyWriter", () => {
  it("writes the header in place, so that header and data leave as one chunk", async () => {
    const { stream, replies } = setUp();
    replies.write({ error: 0, pieces: [piece(data("payload", 16))], room: undefined }, HIGH, LOW);
    await settle();
    expect(stream.heard).toEqual(replyBytes({ cookie: COOKIE, data: Buffer.from("payload") }));
    expect(stream.writes).toEqual([[23]]);
  });

  it("writes the header elsewhere when there is too little room in front of the data", async () => {
    const { stream, replies } = setUp();
    const slice = data("payload", 15);
    replies.write({ error: 0, pieces: [piece(slice)], room: undefined }, HIGH, LOW);
    await settle();
    expect(stream.heard).toEqual(replyBytes({ cookie: COOKIE, data: Buffer.from("payload") }));
    expect(stream.writes).toEqual([[16, 7]]);
    expect(slice.slab.buffer.toString()).toBe(`${"-".repeat(15)}payload`);
  });

  it("uses the room of a reply without data", async () => {
    const { stream, replies } = setUp();
    const room = data("", 16);
    replies.write({ error: 0, pieces: [], room }, HIGH, LOW);
    await settle();
    expect(stream.heard).toEqual(replyBytes({ cookie: COOKIE }));
    expect(room.slab.buffer).toEqual(replyBytes({ cookie: COOKIE }));
  });

  it("writes many replies without any room side by side", async () => {
    const { stream, replies } = setUp();
    for (let low = 0; low < 300; low += 1) replies.write({ error: 0, pieces: [], room: undefined }, 0, low);
    await settle();
    const expected = Array.from({ length: 300 }, (_, low) => replyBytes({ cookie: BigInt(low) }));
    expect(stream.heard).toEqual(Buffer.concat(expected));
    expect(stream.writes).toEqual([[4096, 704]]);
  });

  it("does not use room that belongs to data for a reply that begins with a hole", async () => {
    const { stream, replies } = setUp();
    const room = data("", 16);
    const pieces: Piece[] = [
      { kind: "hole", lengthBytes: 3 },
      piece(data("abc", 16)),
      { kind: "hole", lengthBytes: 2 },
    ];
    replies.write({ error: 0, pieces, room }, HIGH, LOW);
    await settle();
    expect(stream.heard).toEqual(replyBytes({ cookie: COOKIE, data: Buffer.from("\0\0\0abc\0\0") }));
    expect(room.slab.buffer.toString()).toBe("-".repeat(16));
  });

  it("writes a hole of any length as zeros", async () => {
    const { stream, replies } = setUp();
    replies.write({ error: 0, pieces: [{ kind: "hole", lengthBytes: 150_000 }], room: undefined }, HIGH, LOW);
    await settle();
    expect(stream.heard.equals(replyBytes({ cookie: COOKIE, data: Buffer.alloc(150_000) }))).toBe(true);
  });

  it("sends errors that the text names as they are, and others as EINVAL", async () => {
    const { stream, replies } = setUp();
    for (const error of [28, 4711]) replies.write({ error, pieces: [], room: undefined }, HIGH, LOW);
    await settle();
    const expected = [28, 22].map((error) => replyBytes({ error, cookie: COOKIE }));
    expect(stream.heard).toEqual(Buffer.concat(expected));
  });
});
