import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { ProtocolViolation } from "../../../src/protocol/protocol-violation.ts";
import { ReplyDecoder } from "../../../src/protocol/reply-decoder.ts";
import { cutInto, everyCut } from "../support/cuts.ts";
import {
  chunkBytes,
  dataChunkBytes,
  doneBytes,
  errorChunkBytes,
  holeChunkBytes,
  parseStructured,
  replyBytes,
  statusChunkBytes,
} from "../support/naive-codec.ts";
import {
  decodePieces,
  expected,
  expectSame,
  type Found,
  ReplyCollector,
  UNKNOWN_COOKIE,
} from "./support/reply-collector.ts";
import { wireBytes } from "./support/wire-bytes.ts";

/** A cookie whose simple reply has no data, as all have when replies are structured. */
const COOKIE = 0xfedc_ba98_7654_3200n;

const CHUNKS: readonly (readonly [string, Buffer])[] = [
  ["a chunk without content", doneBytes(COOKIE)],
  ["a chunk of one byte", dataChunkBytes({ cookie: COOKIE, offset: 0, data: Buffer.from("x") })],
  ["data that is not all", dataChunkBytes({ cookie: COOKIE, done: false, offset: 512, data: Buffer.alloc(40, 7) })],
  ["data at the end of the largest disk", dataChunkBytes({ offset: 2n ** 53n - 2n, data: Buffer.from("z") })],
  ["a hole", holeChunkBytes({ cookie: COOKIE, offset: 0x1_2345_6789, length: 4096 })],
  ["the largest hole", holeChunkBytes({ cookie: COOKIE, done: false, offset: 0, length: 0xffff_ffff })],
  ["one extent", statusChunkBytes({ cookie: COOKIE, id: 0, extents: [[4096, 0]] })],
  [
    "extents with all bits",
    statusChunkBytes({
      cookie: COOKIE,
      done: false,
      id: 0xffff_ffff,
      extents: [
        [0xffff_ffff, 3],
        [1, 0xffff_ffff],
        [7, 0],
      ],
    }),
  ],
  ["an error without a word", errorChunkBytes({ cookie: COOKIE, error: 5 })],
  ["an error with a text", errorChunkBytes({ cookie: COOKIE, done: false, error: 28, text: "größte Not" })],
  ["an error that nobody knows", errorChunkBytes({ cookie: COOKIE, error: 0xffff_ffff, text: "?" })],
  ["an error with an offset", errorChunkBytes({ cookie: COOKIE, error: 5, offset: 0x1_0000_0200 })],
  ["an error with a text and an offset", errorChunkBytes({ error: 5, text: "bad sector", offset: 1 })],
  ["an error of an unknown type", chunkBytes({ type: 0xffff, payload: wireBytes("00000005 0002 6f68 c0ffee") })],
  ["the error bit on nothing", chunkBytes({ type: 0x8000, payload: wireBytes("00000005 0000") })],
  ["flags that nobody knows", chunkBytes({ flags: 0xffff, cookie: COOKIE })],
  ["a simple reply between chunks", replyBytes({ cookie: COOKIE })],
  ["a simple reply with an error", replyBytes({ cookie: COOKIE, error: 22 })],
];

function decode(pieces: readonly Buffer[]): Found[] {
  const sink = new ReplyCollector();
  expectSame(decodePieces(new ReplyDecoder(sink, true), pieces).length, 0);
  return sink.found;
}

describe("ReplyDecoder of structured replies", () => {
  it.each(CHUNKS)("finds %s however it arrives", (_name, bytes) => {
    const { messages } = parseStructured(bytes);
    expect(messages).toHaveLength(1);
    for (const pieces of everyCut(bytes)) expectSame(decode(pieces), expected(messages));
  });

  it("finds a burst of chunks and simple replies, wherever it is cut", () => {
    const bytes = Buffer.concat(CHUNKS.map(([, one]) => one));
    const naive = expected(parseStructured(bytes).messages);
    expect(naive).toHaveLength(CHUNKS.length);
    for (const pieces of everyCut(bytes)) expectSame(decode(pieces), naive);
  });

  it("hands out data as it comes, and extents when they are whole", () => {
    const heard: string[] = [];
    const sink = new (class extends ReplyCollector {
      override data(...args: Parameters<ReplyCollector["data"]>): void {
        super.data(...args);
        heard.push(`data ${args[2] - args[1]}`);
      }
      override extents(...args: Parameters<ReplyCollector["extents"]>): void {
        super.extents(...args);
        heard.push(`extents ${args[2] - args[1]}`);
      }
    })();
    const data = dataChunkBytes({ offset: 0, data: Buffer.alloc(10) });
    const status = statusChunkBytes({
      id: 1,
      extents: [
        [1, 1],
        [2, 2],
        [3, 3],
      ],
    });
    const decoder = new ReplyDecoder(sink, true);
    decodePieces(decoder, [data.subarray(0, 28), data.subarray(28, 31), data.subarray(31)]);
    decodePieces(decoder, [
      status.subarray(0, 24),
      status.subarray(24, 35),
      status.subarray(35, 41),
      status.subarray(41),
    ]);
    expect(heard).toEqual(["data 3", "data 7", "extents 8", "extents 8", "extents 8"]);
  });

  it("leaves what is not whole for the next time, and says where it begins", () => {
    const whole = doneBytes(COOKIE);
    for (const [name, bytes] of CHUNKS) {
      const sink = new ReplyCollector();
      const begun = Buffer.concat([whole, bytes.subarray(0, 15)]);
      expect(decodePieces(new ReplyDecoder(sink, true), [begun]), name).toEqual(bytes.subarray(0, 15));
      expect(sink.found).toHaveLength(1);
    }
  });

  it("takes the longest text of an error, whose chunk is longer than other headers", () => {
    const bytes = errorChunkBytes({ error: 5, text: "t".repeat(4096), offset: 7 });
    const cuts = [bytes.length, 1, 20, 26, 4000, 4122, 4123];
    for (const cut of cuts) {
      expect(decode([bytes.subarray(0, cut), bytes.subarray(cut)])).toMatchObject([
        { content: "error", text: "t".repeat(4096), offset: 7 },
      ]);
    }
  });

  it("agrees with a naive codec about any chunks and any cuts", () => {
    const fields = {
      cookie: fc.bigInt({ min: 0n, max: 2n ** 56n - 1n }).map((high) => high << 8n),
      done: fc.boolean(),
    };
    const offset = fc.maxSafeNat();
    const data = fc.uint8Array({ minLength: 1, maxLength: 100 }).map((bytes) => Buffer.from(bytes));
    const u32 = fc.nat(0xffff_ffff);
    const extents = fc.array(fc.tuple(u32, u32), { minLength: 1, maxLength: 8 });
    const text = fc.string({ unit: "binary", maxLength: 20 }).filter((string) => !string.includes("\0"));
    const error = fc.integer({ min: 1, max: 0xffff_ffff });
    const message = fc.oneof(
      fields.cookie.map(doneBytes),
      fc.record({ cookie: fields.cookie, error: u32 }).map(replyBytes),
      fc.record({ ...fields, offset, data }).map(dataChunkBytes),
      fc.record({ ...fields, offset, length: error }).map(holeChunkBytes),
      fc.record({ ...fields, id: u32, extents }).map(statusChunkBytes),
      fc.record({ ...fields, error, text }).map(errorChunkBytes),
      fc.record({ ...fields, error, text, offset }).map(errorChunkBytes),
    );
    const cuts = fc.array(fc.integer({ min: 1, max: 70 }), { minLength: 1 });
    fc.assert(
      fc.property(fc.array(message, { maxLength: 12 }), cuts, (made, lengths) => {
        const bytes = Buffer.concat(made);
        expectSame(decode(cutInto(bytes, lengths)), expected(parseStructured(bytes).messages));
      }),
      { numRuns: 300 },
    );
  });
});

describe("ReplyDecoder with a server that breaks the protocol", () => {
  const payload = (hex: string, type: number, flags = 1) => chunkBytes({ type, flags, payload: wireBytes(hex) });

  it.each<readonly [string, Buffer]>([
    ["a wrong magic", wireBytes("668e33ee 0001 0000 0000000000000000 00000000")],
    ["the magic of a request", wireBytes("25609513 0000 0000 0000000000000000 00000000")],
    ["the magic of an extended reply", wireBytes("6e8a278c 0001 0000 0000000000000000 00000000")],
    ["nothing, that is not the end", chunkBytes({ flags: 0 })],
    ["nothing, with flags, that is not the end", chunkBytes({ flags: 0xfffe })],
    ["nothing, with a payload", payload("00", 0)],
    ["nothing, of 4 GiB", chunkBytes({ length: 0xffff_ffff })],
    ["data without an offset", payload("", 1)],
    ["data with half an offset", payload("00000000", 1)],
    ["data of no bytes", payload("0000000000000000", 1)],
    ["a hole of no bytes", payload("0000000000000000 00000000", 2)],
    ["a hole without a size", payload("0000000000000000", 2)],
    ["a hole with half a size", payload("0000000000000000 0000", 2)],
    ["a hole with more than a size", payload("0000000000000000 00000001 00", 2)],
    ["a hole of 4 GiB of payload", chunkBytes({ type: 2, length: 0xffff_ffff })],
    ["extents without a context", payload("", 5)],
    ["half a context", payload("0000", 5)],
    ["no extents", payload("00000001", 5)],
    ["half an extent", payload("00000001 00001000", 5)],
    ["an extent and a half", payload("00000001 00001000 00000000 00001000", 5)],
    ["an odd byte behind an extent", payload("00000001 00001000 00000000 00", 5)],
    ["extents that come to 4 GiB", chunkBytes({ type: 5, length: 0xffff_ffff })],
    ["extents of the extended kind", payload("00000001 00000001 0000000000001000 0000000000000000", 6)],
    ["content of an unknown kind", payload("00000000", 3)],
    ["content of an unknown kind without a byte", payload("", 4)],
    ["content of the last unknown kind", payload("00000005 0000", 0x7fff)],
    ["an error without an error", payload("00000000 0000", 0x8001)],
    ["an error of no bytes", payload("", 0x8001)],
    ["an error that is cut short", payload("00000005 00", 0x8001)],
    ["a text longer than its chunk", payload("00000005 0003 6f68", 0x8001)],
    ["a text of 64 KiB in a chunk of six bytes", payload("00000005 ffff", 0x8001)],
    ["a text of 4097 bytes", errorChunkBytes({ error: 5, text: "t".repeat(4097) })],
    ["an offset that is missing", payload("00000005 0000", 0x8002)],
    ["half an offset", payload("00000005 0000 00000000", 0x8002)],
    ["a text that reaches into its offset", payload("00000005 0001 0000000000000000", 0x8002)],
    ["an error of 4 GiB", chunkBytes({ type: 0x8001, length: 0xffff_ffff })],
    ["an error chunk beyond reason", chunkBytes({ type: 0x8001, payload: Buffer.alloc(8193, 1) })],
    ["an unknown error without an error", payload("00000000 0000", 0xffff)],
    ["an unknown error with a text that does not fit", payload("00000005 0001", 0x9000)],
    ["an unknown error of five bytes", payload("00000005 00", 0x9000)],
  ])("gives up on %s, however it arrives, and takes what came before", (_name, bytes) => {
    const before = doneBytes(COOKIE);
    for (const pieces of everyCut(bytes.subarray(0, 60))) {
      const sink = new ReplyCollector();
      const rest = bytes.subarray(60);
      expect(() => decodePieces(new ReplyDecoder(sink, true), [before, ...pieces, rest])).toThrow(ProtocolViolation);
      expect(sink.found).toEqual(expected(parseStructured(before).messages));
    }
  });

  it("does not wait for the payload of a chunk that is wrong already, and reserves nothing for it", () => {
    for (const type of [0, 2, 0x8001, 0x8002, 0xffff]) {
      const header = chunkBytes({ type, length: 0xffff_fff8 });
      expect(() => decodePieces(new ReplyDecoder(new ReplyCollector(), true), [header])).toThrow(ProtocolViolation);
    }
  });

  it("leaves it to the sink to know the cookie, before anything of the content is heard", () => {
    const cookie = UNKNOWN_COOKIE;
    for (const bytes of [
      doneBytes(cookie),
      dataChunkBytes({ cookie, offset: 0, data: Buffer.alloc(9) }),
      holeChunkBytes({ cookie, offset: 0, length: 1 }),
      statusChunkBytes({ cookie, id: 0, extents: [[1, 0]] }),
      errorChunkBytes({ cookie, error: 5 }),
      replyBytes({ cookie }),
    ]) {
      const sink = new ReplyCollector();
      expect(() => decodePieces(new ReplyDecoder(sink, true), [bytes])).toThrow("nobody waits for that");
      expect(sink.found).toEqual([]);
    }
  });

  it("passes on offsets beyond every disk as what they are about", () => {
    const bytes = dataChunkBytes({ offset: 2n ** 64n - 1n, data: Buffer.from("x") });
    expect(decode([bytes])).toMatchObject([{ content: "data", offset: 2 ** 64 }]);
  });

  it("stands any bytes at all, however they are cut", () => {
    const noise = fc.uint8Array({ maxLength: 120 }).map((bytes) => Buffer.from(bytes));
    const begun = fc.tuple(fc.constantFrom(...CHUNKS.map(([, bytes]) => bytes)), noise).map(([bytes, more]) => {
      const mixed = Buffer.concat([bytes, more]);
      mixed.writeUInt32BE(0x668e33ef, 0);
      return mixed;
    });
    fc.assert(
      fc.property(
        fc.oneof(noise, begun),
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }),
        (bytes, lengths) => {
          const whole = outcome([bytes]);
          expectSame(outcome(cutInto(bytes, lengths)), whole);
        },
      ),
      { numRuns: 500 },
    );
  });
});

/** What is found, and with what it ends. */
function outcome(pieces: readonly Buffer[]): { readonly found: readonly Found[]; readonly end: string } {
  const sink = new ReplyCollector();
  try {
    return { found: sink.found, end: decodePieces(new ReplyDecoder(sink, true), pieces).toString("hex") };
  } catch (error) {
    if (!(error instanceof ProtocolViolation)) throw error;
    return { found: sink.found, end: error.message };
  }
}
