import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { type ChunkError, decodeChunkError, encodeErrorChunk } from "../../../src/protocol/chunk-error.ts";
import { CHUNK } from "../../../src/protocol/constants.ts";
import { errorChunkBytes } from "../support/naive-codec.ts";

const ADDRESS = { cookieHigh: 0xfedcba98, cookieLow: 0x76543210, done: true };
const COOKIE = 0xfedc_ba98_7654_3210n;

/** Reads a whole error chunk. */
function decode(bytes: Buffer): ChunkError {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return decodeChunkError(view, 20, view.getUint16(6), view.getUint32(16));
}

describe("encodeErrorChunk", () => {
  it("writes an error with what else is known of it", () => {
    const made = encodeErrorChunk(ADDRESS, { error: 5, text: "größte Not", offset: undefined });
    expect(made).toEqual(errorChunkBytes({ cookie: COOKIE, error: 5, text: "größte Not" }));
    const short = encodeErrorChunk({ ...ADDRESS, done: false }, { error: 0xffffffff, text: "", offset: 0 });
    expect(short).toEqual(errorChunkBytes({ cookie: COOKIE, done: false, error: 0xffffffff, offset: 0 }));
  });

  it("writes what a naive codec writes, and reads it again", () => {
    const chunk = fc.record({
      error: fc.integer({ min: 1, max: 0xffffffff }),
      text: fc.string({ unit: "binary", maxLength: 50 }).filter((text) => !text.includes("\0")),
      offset: fc.option(fc.maxSafeNat(), { nil: undefined }),
    });
    fc.assert(
      fc.property(chunk, ({ offset, ...rest }) => {
        const made = encodeErrorChunk(ADDRESS, { ...rest, offset });
        const naive = errorChunkBytes({ cookie: COOKIE, ...rest, ...(offset === undefined ? {} : { offset }) });
        expect(made.equals(naive)).toBe(true);
        expect(decode(made)).toEqual({ ...rest, offset });
      }),
    );
  });

  it.each([
    ["t".repeat(4097), "t".repeat(4096)],
    ["ä".repeat(2048), "ä".repeat(2048)],
    [`t${"ä".repeat(2048)}`, `t${"ä".repeat(2047)}`],
    [`tt${"💾".repeat(1024)}`, `tt${"💾".repeat(1023)}`],
    ["\ufffd".repeat(4096), "\ufffd".repeat(1365)],
  ])("cuts a text that is too long, and no character in two", (text, cut) => {
    const made = encodeErrorChunk(ADDRESS, { error: 5, text, offset: 7 });
    expect(decode(made)).toEqual({ error: 5, text: cut, offset: 7 });
    expect(made.readUInt16BE(24)).toBeLessThanOrEqual(4096);
  });

  it("asserts that there is an error", () => {
    expect(() => encodeErrorChunk(ADDRESS, { error: 0, text: "", offset: undefined })).toThrow(/needs an error/);
  });
});

describe("decodeChunkError", () => {
  it("replaces what is no UTF-8, and stops at NUL", () => {
    expect(decode(errorChunkBytes({ error: 5, text: Buffer.from("a\xffb", "latin1") })).text).toBe("a\ufffdb");
    expect(decode(errorChunkBytes({ error: 5, text: "no such thing\0junk" })).text).toBe("no such thing");
    expect(decode(errorChunkBytes({ error: 5, text: "\0", offset: 1 }))).toEqual({ error: 5, text: "", offset: 1 });
  });

  it("finds the offset behind the text, and ignores what is behind it", () => {
    const bytes = Buffer.concat([errorChunkBytes({ error: 5, text: "oh", offset: 0x1_0000_0001 }), Buffer.alloc(3)]);
    bytes.writeUInt32BE(bytes.length - 20, 16);
    expect(decode(bytes)).toEqual({ error: 5, text: "oh", offset: 0x1_0000_0001 });
  });

  it("knows no offset beyond every disk, which no number holds", () => {
    expect(decode(errorChunkBytes({ error: 5, offset: 2n ** 53n - 1n })).offset).toBe(Number.MAX_SAFE_INTEGER);
    expect(decode(errorChunkBytes({ error: 5, offset: 2n ** 53n })).offset).toBeUndefined();
    expect(decode(errorChunkBytes({ error: 5, offset: 2n ** 64n - 1n })).offset).toBeUndefined();
  });

  it.each([
    [CHUNK.ERROR, false],
    [0x8003, false],
    [CHUNK.ERROR_OFFSET, true],
  ])("takes the last eight bytes of type 0x%s for an offset only where there is one", (type, hasOffset) => {
    const bytes = errorChunkBytes({ error: 5, offset: 3 });
    bytes.writeUInt16BE(type, 6);
    expect(decode(bytes).offset).toBe(hasOffset ? 3 : undefined);
  });
});
