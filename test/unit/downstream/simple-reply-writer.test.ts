import { describe, expect, it } from "vitest";

import type { Piece } from "../../../src/disk.ts";
import { SimpleReplyWriter } from "../../../src/downstream/simple-reply-writer.ts";
import { replyBytes } from "../support/naive-codec.ts";
import { settle } from "../support/settle.ts";
import { data, outletOf, piece } from "./written-replies.ts";

function setUp() {
  const { stream, outlet } = outletOf();
  return { stream, replies: new SimpleReplyWriter(outlet) };
}

const COOKIE = 0x0102_0304_8506_0708n;
const READ = { command: 0, flags: 0, cookieHigh: 0x0102_0304, cookieLow: 0x8506_0708, offset: 0, length: 7 };

describe("SimpleReplyWriter", () => {
  it("writes the header in place, so that header and data leave as one chunk", async () => {
    const { stream, replies } = setUp();
    replies.write({ error: 0, pieces: [piece(data("payload", 16))], room: undefined }, READ);
    await settle();
    expect(stream.heard).toEqual(replyBytes({ cookie: COOKIE, data: Buffer.from("payload") }));
    expect(stream.writes).toEqual([[23]]);
  });

  it("takes the last of the room when there is more than it needs", async () => {
    const { stream, replies } = setUp();
    const slice = data("payload", 28);
    replies.write({ error: 0, pieces: [piece(slice)], room: undefined }, READ);
    await settle();
    expect(stream.heard).toEqual(replyBytes({ cookie: COOKIE, data: Buffer.from("payload") }));
    expect(stream.writes).toEqual([[23]]);
    expect(slice.slab.buffer.toString("latin1", 0, 12)).toBe("-".repeat(12));
  });

  it("drops what else is known of an error", async () => {
    const { stream, replies } = setUp();
    replies.write({ error: 5, pieces: [], room: undefined, detail: { text: "a bad sector", offset: 3 } }, READ);
    await settle();
    expect(stream.heard).toEqual(replyBytes({ error: 5, cookie: COOKIE }));
  });

  it("writes the header elsewhere when there is too little room in front of the data", async () => {
    const { stream, replies } = setUp();
    const slice = data("payload", 15);
    replies.write({ error: 0, pieces: [piece(slice)], room: undefined }, READ);
    await settle();
    expect(stream.heard).toEqual(replyBytes({ cookie: COOKIE, data: Buffer.from("payload") }));
    expect(stream.writes).toEqual([[16, 7]]);
    expect(slice.slab.buffer.toString()).toBe(`${"-".repeat(15)}payload`);
  });

  it("uses the room of a reply without data", async () => {
    const { stream, replies } = setUp();
    const room = data("", 16);
    replies.write({ error: 0, pieces: [], room }, READ);
    await settle();
    expect(stream.heard).toEqual(replyBytes({ cookie: COOKIE }));
    expect(room.slab.buffer).toEqual(replyBytes({ cookie: COOKIE }));
  });

  it("writes many replies without any room side by side", async () => {
    const { stream, replies } = setUp();
    for (let low = 0; low < 300; low += 1)
      replies.write({ error: 0, pieces: [], room: undefined }, { ...READ, cookieHigh: 0, cookieLow: low });
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
    replies.write({ error: 0, pieces, room }, READ);
    await settle();
    expect(stream.heard).toEqual(replyBytes({ cookie: COOKIE, data: Buffer.from("\0\0\0abc\0\0") }));
    expect(room.slab.buffer.toString()).toBe("-".repeat(16));
  });

  it("writes a hole of any length as zeros", async () => {
    const { stream, replies } = setUp();
    replies.write({ error: 0, pieces: [{ kind: "hole", lengthBytes: 150_000 }], room: undefined }, READ);
    await settle();
    expect(stream.heard.equals(replyBytes({ cookie: COOKIE, data: Buffer.alloc(150_000) }))).toBe(true);
  });

  it("sends errors that the text names as they are, and others as EINVAL", async () => {
    const { stream, replies } = setUp();
    for (const error of [28, 4711]) replies.write({ error, pieces: [], room: undefined }, READ);
    await settle();
    const expected = [28, 22].map((error) => replyBytes({ error, cookie: COOKIE }));
    expect(stream.heard).toEqual(Buffer.concat(expected));
  });
});
