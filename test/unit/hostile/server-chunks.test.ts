import { describe, expect, it } from "vitest";

import { LIMITS } from "../../../src/limits.ts";
import { NBD_ERROR } from "../../../src/protocol/constants.ts";
import { diskBytes } from "../support/held-disk.ts";
import {
  chunkBytes,
  dataChunkBytes,
  doneBytes,
  errorChunkBytes,
  holeChunkBytes,
  replyBytes,
  statusChunkBytes,
} from "../support/naive-codec.ts";
import { settle } from "../support/settle.ts";
import { asking, expectAnsweredElsewhere } from "./asking.ts";
import { HostileWorld } from "./hostile-world.ts";

// Items 3 to 8 of the checklist of malicious servers, as far as they are about structured replies: what a server may say that
// has agreed to them. What block status may be is in test/unit/upstream/resilient-disk-contexts.test.ts.

const STRUCTURED = { structured: true };

/** The cookies under which the server knows the requests. */
interface Cookies {
  readonly read: bigint;
  readonly write: bigint;
}

const ZEROS = Buffer.alloc(8);
const data = (cookie: bigint, offset: number, bytes: Buffer, done = false): Buffer =>
  dataChunkBytes({ cookie, done, offset, data: bytes });
const hole = (cookie: bigint, offset: number, length: number, done = false): Buffer =>
  holeChunkBytes({ cookie, done, offset, length });

const LIES: readonly (readonly [string, (cookies: Cookies) => Buffer])[] = [
  // Item 4.
  ["a simple reply to READ", ({ read }) => replyBytes({ cookie: read, data: diskBytes(512, 8) })],
  ["a simple error to READ", ({ read }) => replyBytes({ cookie: read, error: NBD_ERROR.EIO })],
  ["a chunk of an unknown type", ({ read }) => chunkBytes({ type: 4, cookie: read, payload: ZEROS })],
  [
    "a chunk of an unknown type with the highest bits but one",
    ({ read }) => chunkBytes({ type: 0x7fff, cookie: read }),
  ],
  ["a NONE without DONE", ({ read }) => chunkBytes({ flags: 0, cookie: read })],
  ["a NONE with a payload", ({ read }) => chunkBytes({ cookie: read, payload: ZEROS })],
  ["a NONE to READ", ({ read }) => doneBytes(read)],
  ["data of no bytes", ({ read }) => data(read, 512, Buffer.alloc(0), true)],
  ["a hole of no bytes", ({ read }) => hole(read, 512, 0, true)],
  ["data to WRITE", ({ write }) => data(write, 0, Buffer.alloc(7), true)],
  ["block status to READ", ({ read }) => statusChunkBytes({ cookie: read, id: 1, extents: [[8, 0]] })],
  // Item 5.
  ["a chunk with a cookie of nobody", () => data(4711n, 512, diskBytes(512, 8), true)],
  ["an error with a cookie of nobody", () => errorChunkBytes({ cookie: 4711n, error: 5 })],
  ["the slot of a request with another use", ({ read }) => data(read + (1n << 32n), 512, diskBytes(512, 8), true)],
  // Item 6.
  ["data before the request", ({ read }) => data(read, 511, diskBytes(511, 8), true)],
  ["data behind the request", ({ read }) => data(read, 513, diskBytes(513, 8), true)],
  ["more data than was asked for", ({ read }) => data(read, 512, diskBytes(512, 9), true)],
  ["data for 4 GiB", ({ read }) => chunkBytes({ type: 1, cookie: read, payload: ZEROS, length: 0xffff_ffff })],
  [
    "data at the last of all offsets",
    ({ read }) => chunkBytes({ type: 1, cookie: read, payload: Buffer.alloc(16, 0xff) }),
  ],
  ["a hole for 4 GiB", ({ read }) => hole(read, 512, 0xffff_ffff, true)],
  ["data twice", ({ read }) => Buffer.concat([data(read, 512, ZEROS), data(read, 512, ZEROS, true)])],
  ["a hole over data", ({ read }) => Buffer.concat([data(read, 512, ZEROS), hole(read, 519, 1, true)])],
  ["too little data", ({ read }) => data(read, 512, diskBytes(512, 7), true)],
  [
    "data with a gap",
    ({ read }) => Buffer.concat([hole(read, 512, 3), data(read, 516, diskBytes(516, 4)), doneBytes(read)]),
  ],
  [
    "a chunk that is shorter than its offset",
    ({ read }) => chunkBytes({ type: 1, cookie: read, payload: Buffer.alloc(7) }),
  ],
  ["a hole that is too short", ({ read }) => chunkBytes({ type: 2, cookie: read, payload: Buffer.alloc(11) })],
  ["a hole that is too long", ({ read }) => chunkBytes({ type: 2, cookie: read, payload: Buffer.alloc(13) })],
  [
    "more chunks than sectors",
    ({ read }) =>
      Buffer.concat(
        Array.from({ length: LIMITS.chunks + 1 }, () => errorChunkBytes({ cookie: read, done: false, error: 5 })),
      ),
  ],
  // Item 8.
  ["an error without one", ({ read }) => errorChunkBytes({ cookie: read, error: 0 })],
  ["an error that is too short", ({ read }) => chunkBytes({ type: 0x8001, cookie: read, payload: Buffer.alloc(5, 1) })],
  [
    "an error message that is longer than its chunk",
    ({ read }) => chunkBytes({ type: 0x8001, cookie: read, payload: Buffer.from("000000050001", "hex") }),
  ],
  [
    "an error message that leaves no place for its offset",
    ({ read }) =>
      chunkBytes({ type: 0x8002, cookie: read, payload: Buffer.from("0000000500097878787878787878780000", "hex") }),
  ],
  ["an error message of 64 KiB", ({ read }) => errorChunkBytes({ cookie: read, error: 5, text: "x".repeat(65_535) })],
];

describe("a server that breaks the protocol of structured replies", () => {
  it.each(LIES)("is hung up on, and everything is asked elsewhere: %s", async (_name, say) => {
    const asked = await asking(STRUCTURED);
    asked.world.server.stream.say(say(asked.cookies));
    asked.world.server.stream.say(Buffer.alloc(100_000, 0x42));
    await settle();
    expect(asked.world.server.stream.destroyed).toBe(true);
    expect(asked.world.log.of("warning")).toEqual([expect.stringMatching(/^server store:10809: connection lost: /)]);
    await expectAnsweredElsewhere(asked, STRUCTURED);
  });

  it.each<readonly [string, (cookies: Cookies) => Buffer]>([
    ["the end twice", ({ read }) => doneBytes(read)],
    ["a chunk behind the end", ({ read }) => data(read, 512, Buffer.alloc(8, 0xee), true)],
    ["an error behind the end", ({ read }) => errorChunkBytes({ cookie: read, error: 5 })],
  ])("is hung up on for %s, which no client sees", async (_name, more) => {
    const { world, read, cookies } = await asking(STRUCTURED);
    world.server.stream.say(
      Buffer.concat([data(cookies.read, 512, diskBytes(512, 8)), doneBytes(cookies.read), more(cookies)]),
    );
    await settle();
    expect(world.server.stream.destroyed).toBe(true);
    expect(world.witness.replies).toEqual([{ error: 0, cookie: read, data: diskBytes(512, 8) }]);
    const next = await world.nextServer(STRUCTURED);
    await next.answer(0);
    await world.expectServed();
  });

  it("is not believed about the chunks of an earlier connection", async () => {
    const { world, read, cookies } = await asking(STRUCTURED);
    world.server.stream.say(data(cookies.read, 512, Buffer.from("old ")));
    await world.server.drop();
    const next = await world.nextServer(STRUCTURED);
    await next.answer(0);
    // Half of it here is half of it: nothing of what was said before is added.
    next.stream.say(data(cookies.read, 516, diskBytes(516, 4), true));
    await settle();
    expect([next.stream.destroyed, world.witness.replies.length]).toEqual([true, 1]);
    const last = await world.nextServer(STRUCTURED);
    await last.answer(0);
    await last.answer(1, 0, diskBytes(512, 8));
    expect(world.witness.replies.filter(({ cookie }) => cookie === read).map((reply) => reply.data)).toEqual([
      diskBytes(512, 8),
    ]);
  });

  it("gets no byte of a reply through to a client that is not whole, wherever it stops", async () => {
    const say = ({ read }: Cookies): Buffer =>
      Buffer.concat([
        data(read, 516, Buffer.alloc(4, 0xee)),
        hole(read, 512, 2),
        data(read, 514, Buffer.alloc(2, 0xee), true),
      ]);
    const { length } = say({ read: 0n, write: 0n });
    for (let cut = 0; cut < length; cut += 1) {
      const asked = await asking(STRUCTURED);
      asked.world.server.stream.say(say(asked.cookies).subarray(0, cut));
      await asked.world.server.drop();
      await expectAnsweredElsewhere(asked, STRUCTURED);
    }
  });
});

describe("a server with structured replies that answers in its own way", () => {
  it("may mix the chunks of many READs, in any order, with holes", async () => {
    const world = await HostileWorld.open({}, STRUCTURED);
    const asked = [0, 1, 2, 3].map((index) => world.witness.read(1024 * index, 1024));
    await settle();
    const cookies = world.server.requests.map(({ cookie }) => cookie);
    for (const half of [512, 0]) {
      for (const [index, cookie] of cookies.toReversed().entries()) {
        const offset = 1024 * (3 - index) + half;
        const chunk = index % 2 === 0 ? hole(cookie, offset, 512) : data(cookie, offset, diskBytes(offset, 512));
        world.server.stream.say(chunk);
      }
    }
    expect(world.witness.replies).toEqual([]);
    for (const cookie of cookies) world.server.stream.say(doneBytes(cookie));
    await settle();
    expect(world.witness.replies).toEqual(
      asked.map((cookie, index) => ({
        error: 0,
        cookie,
        data: index % 2 === 1 ? Buffer.alloc(1024) : diskBytes(1024 * index, 1024),
      })),
    );
    await world.expectUnharmed();
  });

  it("has errors passed on, and no data beside them", async () => {
    const { world, read, write, cookies } = await asking(STRUCTURED);
    world.server.stream.say(data(cookies.read, 512, diskBytes(512, 8)));
    world.server.stream.say(
      errorChunkBytes({ cookie: cookies.read, error: NBD_ERROR.EIO, text: "\u001b[2Jbad sector", offset: 515 }),
    );
    world.server.stream.say(
      chunkBytes({ type: 0xfedc, cookie: cookies.write, payload: Buffer.from("000012670000", "hex") }),
    );
    await settle();
    expect(world.witness.answers).toEqual([
      [read, NBD_ERROR.EIO],
      [write, NBD_ERROR.EINVAL],
    ]);
    await world.expectUnharmed();
  });

  it("of ESHUTDOWN, even of half a reply, is asked again and no client hears of it", async () => {
    const asked = await asking(STRUCTURED);
    asked.world.server.stream.say(data(asked.cookies.read, 512, diskBytes(512, 4)));
    asked.world.server.stream.say(
      errorChunkBytes({ cookie: asked.cookies.read, error: NBD_ERROR.ESHUTDOWN, text: "bye" }),
    );
    await settle();
    expect(asked.world.server.stream.finished).toBe(true);
    await expectAnsweredElsewhere(asked, STRUCTURED);
  });

  it("may answer in chunks of single bytes, as long as there are not too many", async () => {
    const world = await HostileWorld.open({}, STRUCTURED);
    const length = 64 * LIMITS.chunkBytes;
    const read = world.witness.read(0, length);
    await settle();
    const cookie = world.server.requests[0]?.cookie ?? 0n;
    for (let at = 0; at < 40; at += 1) world.server.stream.say(data(cookie, 2 * at, Buffer.alloc(1, at)));
    for (let at = 0; at < 39; at += 1) world.server.stream.say(hole(cookie, 2 * at + 1, 1));
    world.server.stream.say(hole(cookie, 79, length - 79, true));
    await settle();
    const expected = Buffer.alloc(length);
    for (let at = 0; at < 40; at += 1) expected[2 * at] = at;
    expect(world.witness.replies).toEqual([{ error: 0, cookie: read, data: expected }]);
    await world.expectUnharmed();
  });
});
