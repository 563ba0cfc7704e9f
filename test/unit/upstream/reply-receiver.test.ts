import { describe, expect, it } from "vitest";

import { LIMITS } from "../../../src/limits.ts";
import { COMMAND, COMMAND_FLAG, NBD_ERROR } from "../../../src/protocol/constants.ts";
import { everyCut } from "../support/cuts.ts";
import { diskBytes } from "../support/held-disk.ts";
import { replyBytes } from "../support/naive-codec.ts";
import { settle } from "../support/settle.ts";
import { playSession } from "./played-session.ts";
import { ask, type Asked, askStatus } from "./structured.ts";

const CONTEXTS = new Map([
  [7, "base:allocation"],
  [9, "x-test:other"],
]);
/** A server with structured replies and two contexts. */
const STRUCTURED = { contextNames: CONTEXTS };
/** The same, with slabs of 64 bytes. */
const TINY = { ...STRUCTURED, slabBytes: 64, roomBytes: 40 };

/** A session, with a READ of 8 bytes at 100. */
async function reading(options: Parameters<typeof playSession>[0] = STRUCTURED, length = 8) {
  const played = playSession(options);
  const read = ask(played, { offset: 100, length });
  await settle();
  return { ...played, read };
}

describe("ReplyReceiver of structured replies", () => {
  it("hands on data where it lies, with the chunk's header as its headroom", async () => {
    const { stream, read, losses } = await reading();
    stream.say(read.data(100, "abcdefgh", true));
    expect([read.heard, losses]).toEqual([["28:abcdefgh"], []]);
  });

  it("says of data in several slabs that it is one chunk", async () => {
    const { stream, read, pool } = await reading(TINY, 100);
    const bytes = read.data(100, diskBytes(0, 100), true);
    for (let at = 0; at < bytes.length; at += 30) stream.say(bytes.subarray(at, at + 30));
    const pieces = read.heard[0]?.split(/ (?=\+0:)/) ?? [];
    expect(pieces.length).toBeGreaterThan(2);
    expect(pieces.map((piece) => piece.slice(0, 3)).slice(1)).toEqual(pieces.slice(1).map(() => "+0:"));
    expect(pieces.map((piece) => piece.slice(piece.indexOf(":") + 1)).join("")).toBe(
      diskBytes(0, 100).toString("latin1"),
    );
    expect(pool.heldBytes).toBe(64);
  });

  it("says so of simple replies as well", async () => {
    const played = playSession({ slabBytes: 64, roomBytes: 40 });
    const read = ask(played, { length: 60 });
    await settle();
    const bytes = replyBytes({ cookie: read.cookie, data: Buffer.alloc(60, "x") });
    for (let at = 0; at < bytes.length; at += 30) played.stream.say(bytes.subarray(at, at + 30));
    const sizes = (read.heard[0] ?? "").split(" ").map((piece) => piece.replaceAll("x", ""));
    expect(sizes).toEqual(["16:", ...sizes.slice(1).map(() => "+0:")]);
    expect(sizes.length).toBeGreaterThan(1);
  });

  it("puts chunks in their order, and keeps holes holes", async () => {
    const { stream, read } = await reading();
    stream.say(read.data(106, "gh"));
    stream.say(read.hole(103, 3));
    expect(read.heard).toEqual([]);
    stream.say(read.data(100, "abc", true));
    expect(read.heard).toEqual(["28:abc hole 3 28:gh"]);
  });

  it("understands every way in which a READ may be answered", async () => {
    const ways: readonly (readonly [string, (read: Asked) => Buffer[]])[] = [
      ["28:abcdefgh", (read) => [read.data(100, "abcdefgh"), read.none()]],
      ["28:abcd 28:efgh", (read) => [read.data(100, "abcd"), read.data(104, "efgh", true)]],
      ["hole 8", (read) => [read.hole(100, 8, true)]],
      ["hole 8", (read) => [read.hole(100, 8), read.none()]],
      ["hole 4 hole 4", (read) => [read.hole(104, 4), read.hole(100, 4, true)]],
      ["28:abcd hole 4", (read) => [read.hole(104, 4), read.data(100, "abcd"), read.none()]],
      ["error 5 room 20", (read) => [read.error(5, "", undefined, true)]],
      ['error 5 "no luck" room 20', (read) => [read.error(5, "no luck", undefined, true)]],
      ['error 5 "no luck" at 103 room 20', (read) => [read.error(5, "no luck", 103, true)]],
      ['error 5 "" at 100 room 20', (read) => [read.error(5, "", 100), read.none()]],
      ['error 5 "first" room 20', (read) => [read.error(5, "first"), read.error(28, "second"), read.none()]],
      ["error 5", (read) => [read.data(100, "abcd"), read.error(5), read.data(104, "efgh", true)]],
      ["error 5 room 20", (read) => [read.data(100, "abcdefgh"), read.error(5, "", undefined, true)]],
      ["error 99 room 20", (read) => [read.chunk(0xffff, Buffer.from("0000006300000000", "hex"), true)]],
    ];
    for (const [words, chunks] of ways) {
      const probe = await reading();
      const bytes = Buffer.concat(chunks(probe.read));
      for (const pieces of everyCut(bytes)) {
        const { stream, read, losses, pool } = await reading();
        for (const piece of pieces) stream.say(piece);
        expect([read.heard, losses]).toEqual([[words], []]);
        expect(pool.heldBytes).toBe(LIMITS.slabBytes);
      }
    }
  });

  it("drops the place of an error that is outside of the request, and keeps the rest", async () => {
    for (const offset of [99, 108, 2 ** 60]) {
      const { stream, read, losses } = await reading();
      stream.say(read.error(5, "where?", offset, true));
      expect([read.heard, losses]).toEqual([['error 5 "where?" room 20'], []]);
      const silent = await reading();
      silent.stream.say(silent.read.error(5, "", offset, true));
      expect(silent.read.heard).toEqual(["error 5 room 20"]);
    }
  });

  it("answers a READ of no bytes that has nothing to say", async () => {
    const { stream, read, losses } = await reading(STRUCTURED, 0);
    stream.say(read.none());
    expect([read.heard, losses]).toEqual([["room 20"], []]);
  });

  it("takes simple replies and errors to what has no data, and NONE", async () => {
    const played = playSession(STRUCTURED);
    const writes = [1, 2, 3, 4].map(() => ask(played, { text: "x" }));
    await settle();
    const [one, two, three, four] = writes as [Asked, Asked, Asked, Asked];
    played.stream.say(
      Buffer.concat([
        replyBytes({ cookie: one.cookie }),
        two.none(),
        replyBytes({ cookie: three.cookie, error: NBD_ERROR.EPERM }),
        four.error(28, "full", undefined, true),
      ]),
    );
    expect(writes.map(({ heard }) => heard)).toEqual([
      ["room 16"],
      ["room 20"],
      ["error 1 room 16"],
      ['error 28 "full" room 20'],
    ]);
    expect(played.losses).toEqual([]);
  });

  it("keeps the replies of several requests apart whose chunks are mixed", async () => {
    const played = playSession(STRUCTURED);
    const [one, two] = [ask(played, { offset: 0, length: 4 }), ask(played, { offset: 0, length: 4 })];
    const [write, whole] = [ask(played, { text: "x" }), ask(played, { offset: 8, length: 2 })];
    await settle();
    played.stream.say(
      Buffer.concat([
        two.data(2, "CD"),
        one.hole(0, 2),
        whole.data(8, "WW", true),
        replyBytes({ cookie: write.cookie }),
        one.data(2, "cd", true),
        two.data(0, "AB"),
        two.none(),
      ]),
    );
    expect([one, two, write, whole].map(({ heard }) => heard)).toEqual([
      ["hole 2 28:cd"],
      ["28:AB 28:CD"],
      ["room 16"],
      ["28:WW"],
    ]);
    expect([played.losses, played.pool.heldBytes]).toEqual([[], LIMITS.slabBytes]);
  });

  it("does not let a small chunk that waits keep a slab, nor does it copy a large one", async () => {
    const played = playSession({ ...STRUCTURED, slabBytes: 256, roomBytes: 64 });
    const read = ask(played, { offset: 0, length: 20_000 });
    await settle();
    for (let at = 0; at < 1000; at += 50) played.stream.say(read.data(at, diskBytes(at, 50)));
    expect(played.pool.heldBytes).toBe(256);
    // One of a quarter of a slab stays where it is.
    for (let at = 1000; at < 1640; at += 64) played.stream.say(read.data(at, diskBytes(at, 64)));
    expect(played.pool.heldBytes).toBeGreaterThan(640);
    played.stream.say(read.hole(1640, 18_360, true));
    expect(played.pool.heldBytes).toBe(256);
    expect(read.heard).toHaveLength(1);
    expect(read.heard[0]).toContain("hole 18360");
    const [first] = read.heard[0]?.split(" 28:") ?? [];
    expect(first).toBe(`28:${diskBytes(0, 50).toString("latin1")}`);
  });

  it("gives no headroom to data whose header came in another slab", async () => {
    for (const waits of [false, true]) {
      const played = playSession({ ...STRUCTURED, slabBytes: 128, roomBytes: 64 });
      const writes = [1, 2, 3].map(() => ask(played, { text: "x" }));
      const read = ask(played, { offset: 0, length: 40 });
      await settle();
      for (const write of writes) played.stream.say(write.none());
      const bytes = read.data(0, Buffer.alloc(40, "x"), !waits);
      // Behind 60 bytes the header leaves too little room for the next read.
      played.stream.say(bytes.subarray(0, 28));
      played.stream.say(bytes.subarray(28));
      if (waits) played.stream.say(read.none());
      expect([read.heard, played.losses]).toEqual([[`0:${"x".repeat(40)}`], []]);
    }
  });

  it("gives headroom to a copy, wherever the chunk came", async () => {
    const { stream, read } = await reading(STRUCTURED);
    for (const byte of read.data(100, "abcd")) stream.say(Buffer.from([byte]));
    stream.say(read.data(104, "efgh", true));
    expect(read.heard).toEqual(["28:abcd 28:efgh"]);
  });
});

describe("ReplyReceiver of block status", () => {
  it("hands on the extents of every context, by its name", async () => {
    const probe = playSession(STRUCTURED);
    const bytes = ((asked) =>
      Buffer.concat([
        asked.status(9, [[2048, 77]]),
        asked.status(
          7,
          [
            [512, 3],
            [512, 0],
          ],
          true,
        ),
      ]))(askStatus(probe));
    await settle();
    for (const pieces of everyCut(bytes)) {
      const played = playSession(STRUCTURED);
      const asked = askStatus(played);
      await settle();
      for (const piece of pieces) played.stream.say(piece);
      expect([asked.heard, played.losses]).toEqual([["base:allocation=512/3,512/0 x-test:other=2048/77"], []]);
    }
  });

  it("hands on errors, in chunks or simple ones", async () => {
    const played = playSession(STRUCTURED);
    const all = [1, 2, 3].map(() => askStatus(played, { offset: 100 }));
    await settle();
    const [one, two, three] = all as [Asked, Asked, Asked];
    played.stream.say(
      Buffer.concat([
        one.error(95, "not here", 600, true),
        replyBytes({ cookie: two.cookie, error: NBD_ERROR.EINVAL }),
        three.status(7, [[1024, 0]]),
        three.error(5),
        three.none(),
      ]),
    );
    expect(all.map(({ heard }) => heard)).toEqual([
      ['error 95 "not here" at 600 room 20'],
      ["error 22 room 16"],
      ["error 5 room 20"],
    ]);
    expect(played.losses).toEqual([]);
  });

  it("keeps what a request for one extent asked for", async () => {
    const played = playSession(STRUCTURED);
    const asked = askStatus(played, { flags: COMMAND_FLAG.REQ_ONE, length: 600 });
    await settle();
    played.stream.say(
      asked.status(7, [
        [512, 3],
        [512, 0],
      ]),
    );
    played.stream.say(asked.status(9, [[4096, 1]], true));
    expect(asked.heard).toEqual(["base:allocation=512/3 x-test:other=600/1"]);
  });

  it("keeps so many extents, whatever is said, and takes a claim for nothing but that", async () => {
    const played = playSession({ ...STRUCTURED, sizeBytes: 2 ** 40 });
    const asked = askStatus(played, { length: 2 ** 32 - 1 });
    await settle();
    const many = Array.from({ length: LIMITS.statusExtents + 100 }, (_, index) => [1, index] as const);
    played.stream.say(asked.status(7, many));
    played.stream.say(asked.status(9, [[1, 0]], true));
    const extents = asked.heard[0]?.split(" ")[0]?.split(",") ?? [];
    expect([extents.length, extents[0], extents.at(-1)]).toEqual([
      LIMITS.statusExtents,
      "base:allocation=1/0",
      `1/${LIMITS.statusExtents - 1}`,
    ]);
  });
});

/** [what the server does, how, the reason for giving up]. */
type Violation = readonly [string, (read: Asked, others: { status: Asked; write: Asked }) => Buffer[], string];

const VIOLATIONS: readonly Violation[] = [
  ["data before the request", (read) => [read.data(99, "abcd")], "outside of what was asked for"],
  ["data behind the request", (read) => [read.data(105, "abcd")], "outside of what was asked for"],
  ["data at the end of all offsets", (read) => [read.chunk(1, Buffer.alloc(9, 0xff), true)], "outside"],
  ["more data than the request", (read) => [read.data(100, "abcdefghi", true)], "outside"],
  ["a hole before the request", (read) => [read.hole(0, 101)], "outside"],
  ["a hole behind the request", (read) => [read.hole(107, 2, true)], "outside"],
  ["a hole of 4 GiB", (read) => [read.hole(100, 2 ** 32 - 1, true)], "outside"],
  ["a hole of nothing", (read) => [read.hole(100, 0)], "of no bytes"],
  ["data of nothing", (read) => [read.data(100, "")], "type 1 with 8 bytes"],
  ["data twice", (read) => [read.data(100, "abcd"), read.data(100, "abcd", true)], "overlap"],
  ["data that overlaps a hole", (read) => [read.hole(103, 5), read.data(100, "abcd")], "overlap"],
  ["a hole that overlaps data", (read) => [read.data(100, "abcd"), read.hole(100, 8)], "overlap"],
  ["an overlap behind an error", (read) => [read.error(5), read.hole(100, 8), read.hole(104, 1)], "overlap"],
  [
    "an overlap with data that an error made useless",
    (read) => [read.data(100, "ab"), read.error(5), read.hole(100, 8)],
    "overlap",
  ],
  ["a gap", (read) => [read.data(100, "abc"), read.data(104, "efgh", true)], "a reply with 7 of 8 bytes"],
  ["a gap at the beginning", (read) => [read.data(101, "bcdefgh", true)], "a reply with 7 of 8 bytes"],
  ["a gap at the end", (read) => [read.hole(100, 7, true)], "a reply with 7 of 8 bytes"],
  ["the end of a READ without data", (read) => [read.none()], "a reply with 0 of 8 bytes"],
  ["too many chunks", (read) => Array.from({ length: LIMITS.chunks + 1 }, () => read.error(5)), "too many chunks"],
  [
    "a simple reply to READ",
    (read) => [replyBytes({ cookie: read.cookie, data: Buffer.from("abcdefgh") })],
    "a simple reply to command 0",
  ],
  ["a simple error to READ", (read) => [replyBytes({ cookie: read.cookie, error: 5 })], "a simple reply to command 0"],
  ["a NONE that is not the last", (read) => [read.chunk(0, Buffer.alloc(0), false)], "type 0 with 0 bytes"],
  ["a NONE with bytes", (read) => [read.chunk(0, Buffer.alloc(1), true)], "type 0 with 1 bytes"],
  ["a chunk behind the last", (read) => [read.hole(100, 8, true), read.hole(100, 8, true)], "not in flight"],
  ["the end twice", (read) => [read.data(100, "abcdefgh"), read.none(), read.none()], "not in flight"],
  ["an unknown chunk", (read) => [read.chunk(3, Buffer.alloc(8), true)], "type 3"],
  ["an error without one", (read) => [read.error(0, "", undefined, true)], "an error chunk without an error"],
  [
    "an error whose text is longer than it is",
    (read) => [read.chunk(0x8001, Buffer.from("000000050009", "hex"), true)],
    "an error message of 9 bytes",
  ],
  ["block status for READ", (read) => [read.status(7, [[8, 0]], true)], "block status in a reply to command 0"],
  ["data for WRITE", (_read, { write }) => [write.data(0, "x", true)], "data in a reply to command 1"],
  ["a hole for WRITE", (_read, { write }) => [write.hole(0, 1, true)], "data in a reply to command 1"],
  [
    "block status for WRITE",
    (_read, { write }) => [write.status(7, [[1, 0]], true)],
    "block status in a reply to command 1",
  ],
  [
    "a simple reply behind chunks",
    (_read, { write }) => [write.error(5), replyBytes({ cookie: write.cookie })],
    "begun in chunks",
  ],
  [
    "data for BLOCK_STATUS",
    (_read, { status }) => [status.data(0, Buffer.alloc(1024), true)],
    "data in a reply to command 7",
  ],
  [
    "a simple success of BLOCK_STATUS",
    (_read, { status }) => [replyBytes({ cookie: status.cookie })],
    "a simple reply to command 7",
  ],
  ["an unknown context", (_read, { status }) => [status.status(8, [[512, 0]])], "not selected, 8"],
  [
    "a context twice",
    (_read, { status }) => [status.status(7, [[512, 0]]), status.status(7, [[512, 0]])],
    '"base:allocation" twice',
  ],
  [
    "a missing context",
    (_read, { status }) => [status.status(7, [[512, 0]], true)],
    'no block status of "x-test:other"',
  ],
  ["no context", (_read, { status }) => [status.none()], 'no block status of "base:allocation"'],
  [
    "an extent without length",
    (_read, { status }) => [
      status.status(7, [
        [512, 0],
        [0, 1],
      ]),
    ],
    "an extent without length",
  ],
  [
    "a useless extent without length",
    (_read, { status }) => [
      status.status(7, [
        [2048, 0],
        [0, 1],
      ]),
    ],
    "an extent without length",
  ],
  [
    "an extent beyond the end",
    (_read, { status }) => [status.status(7, [[1024 * 1024 + 1, 0]])],
    "beyond the end of the export",
  ],
  [
    "a useless extent beyond the end",
    (_read, { status }) => [
      status.status(7, [
        [1024 * 1024, 0],
        [1, 0],
      ]),
    ],
    "beyond the end of the export",
  ],
  ["block status without extents", (_read, { status }) => [status.status(7, [])], "type 5 with 4 bytes"],
  ["half an extent", (_read, { status }) => [status.chunk(5, Buffer.alloc(16), true)], "type 5 with 16 bytes"],
];

describe("ReplyReceiver with a server that breaks the protocol of structured replies", () => {
  it.each(VIOLATIONS)("gives up at %s, and hands nothing on", async (_name, say, why) => {
    const played = playSession(STRUCTURED);
    const read = ask(played, { offset: 100, length: 8 });
    const others = { status: askStatus(played), write: ask(played, { text: "x" }) };
    await settle();
    const chunks = say(read, others);
    // Everything but the last one is in order.
    for (const chunk of chunks.slice(0, -1)) played.stream.say(chunk);
    const heardBefore = read.heard.length;
    expect(played.losses).toEqual([]);
    played.stream.say(chunks.at(-1) ?? Buffer.alloc(0));
    expect(played.losses).toEqual([expect.stringMatching(/^ProtocolViolation: /)]);
    expect(played.losses[0]).toContain(why);
    played.stream.say(read.data(100, "abcdefgh", true));
    await settle();
    expect([read.heard.length, others.status.heard, others.write.heard]).toEqual([heardBefore, [], []]);
    expect([heardBefore <= 1, played.stream.closed, played.pool.heldBytes]).toEqual([true, true, 0]);
  });

  it("gives up at a structured reply where none was agreed on", async () => {
    const played = playSession({});
    const read = ask(played, { offset: 100, length: 8 });
    await settle();
    played.stream.say(read.data(100, "abcdefgh", true));
    expect([played.losses, read.heard]).toEqual([["ProtocolViolation: wrong reply magic 0x668e33ef"], []]);
  });

  it("gives up at a success of BLOCK_STATUS that says nothing, also where only simple replies were agreed on", async () => {
    const played = playSession({});
    const status = askStatus(played);
    await settle();
    played.stream.say(replyBytes({ cookie: status.cookie }));
    expect(played.losses).toEqual(["ProtocolViolation: a simple reply to command 7, which needs a structured one"]);
    expect(COMMAND.BLOCK_STATUS).toBe(7);
  });

  it("allows one chunk for every 512 bytes, and some more", async () => {
    const played = playSession(STRUCTURED);
    const length = 8 * LIMITS.chunkBytes;
    const read = ask(played, { offset: 0, length });
    await settle();
    const allowed = LIMITS.chunks + 8;
    for (let index = 0; index < allowed - 1; index += 1) played.stream.say(read.hole(index, 1));
    played.stream.say(read.hole(allowed - 1, length - allowed + 1, true));
    expect([played.losses, read.heard.length]).toEqual([[], 1]);
    const again = ask(played, { offset: 0, length });
    await settle();
    for (let index = 0; index < allowed; index += 1) played.stream.say(again.hole(index, 1));
    expect(played.losses).toEqual([]);
    played.stream.say(again.hole(allowed, length - allowed, true));
    expect(played.losses).toEqual(["ProtocolViolation: a reply in too many chunks"]);
  });
});
