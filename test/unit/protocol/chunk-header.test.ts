import fc from "fast-check";
import { describe, expect, it } from "vitest";

import {
  encodeChunkHeader,
  encodeDataChunk,
  encodeHoleChunk,
  HOLE_CHUNK_BYTES,
  STATUS_CHUNK_HEADER_BYTES,
} from "../../../src/protocol/chunk-header.ts";
import { encodeOffset } from "../../../src/protocol/offset-field.ts";
import { CHUNK, DATA_CHUNK_HEADER_BYTES } from "../../../src/protocol/constants.ts";
import { chunkBytes, dataChunkBytes, holeChunkBytes, statusChunkBytes } from "../support/naive-codec.ts";
import { wireBytes } from "./support/wire-bytes.ts";

const AT = 3;
const ADDRESS = { cookieHigh: 0x01234567, cookieLow: 0x89abcdef, done: true };

/** What an encoder writes at a place of its own, and nothing beside it. */
function written(lengthBytes: number, encode: (view: DataView, at: number) => void): Buffer {
  const bytes = Buffer.alloc(AT + lengthBytes + AT, 0xee);
  encode(new DataView(bytes.buffer, bytes.byteOffset, bytes.length), AT);
  expect([bytes.toString("hex", 0, AT), bytes.toString("hex", AT + lengthBytes)]).toEqual(["eeeeee", "eeeeee"]);
  return bytes.subarray(AT, AT + lengthBytes);
}

const addresses = fc.record({
  cookieHigh: fc.nat(0xffffffff),
  cookieLow: fc.nat(0xffffffff),
  done: fc.boolean(),
});
const sizes = fc.integer({ min: 1, max: 0xffff_fff7 });

function cookieOf({ cookieHigh, cookieLow }: { readonly cookieHigh: number; readonly cookieLow: number }): bigint {
  return (BigInt(cookieHigh) << 32n) | BigInt(cookieLow);
}

describe("the header of a chunk", () => {
  it("is 20 bytes, with DONE in its flags", () => {
    const header = (done: boolean) =>
      written(20, (view, at) => encodeChunkHeader(view, at, CHUNK.ERROR_OFFSET, { ...ADDRESS, done }, 0xfffffffe));
    expect(header(true)).toEqual(wireBytes("668e33ef 0001 8002 0123456789abcdef fffffffe"));
    expect(header(false)).toEqual(wireBytes("668e33ef 0000 8002 0123456789abcdef fffffffe"));
  });

  it("is what a naive codec writes", () => {
    fc.assert(
      fc.property(addresses, fc.nat(0xffff), fc.nat(0xffffffff), (address, type, length) => {
        const made = written(20, (view, at) => encodeChunkHeader(view, at, type, address, length));
        const cookie = cookieOf(address);
        expect(made).toEqual(chunkBytes({ flags: address.done ? 1 : 0, type, cookie, length }));
      }),
    );
  });
});

describe("the beginning of a data chunk", () => {
  it("is what a naive codec writes before the data", () => {
    fc.assert(
      fc.property(addresses, fc.maxSafeNat(), fc.integer({ min: 1, max: 64 }), (address, offset, size) => {
        const made = written(DATA_CHUNK_HEADER_BYTES, (view, at) => encodeDataChunk(view, at, address, offset, size));
        const whole = dataChunkBytes({
          cookie: cookieOf(address),
          done: address.done,
          offset,
          data: Buffer.alloc(size),
        });
        expect(made).toEqual(whole.subarray(0, 28));
      }),
    );
  });
});

describe("a hole chunk", () => {
  it("is what a naive codec writes", () => {
    fc.assert(
      fc.property(addresses, fc.maxSafeNat(), sizes, (address, offset, length) => {
        const made = written(HOLE_CHUNK_BYTES, (view, at) => encodeHoleChunk(view, at, address, offset, length));
        expect(made).toEqual(holeChunkBytes({ cookie: cookieOf(address), done: address.done, offset, length }));
      }),
    );
  });
});

describe("the beginning of a chunk with extents", () => {
  it("is as long as it is said to be", () => {
    const one = statusChunkBytes({ id: 1, extents: [[4096, 3]] });
    expect(one.subarray(STATUS_CHUNK_HEADER_BYTES)).toEqual(wireBytes("00001000 00000003"));
  });
});

describe("encodeOffset", () => {
  it.each([
    [0, "0000000000000000"],
    [0xffff_ffff, "00000000ffffffff"],
    [0x1_0000_0000, "0000000100000000"],
    [Number.MAX_SAFE_INTEGER, "001fffffffffffff"],
  ])("writes %d exactly", (offset, hex) => {
    expect(written(8, (view, at) => encodeOffset(view, at, offset))).toEqual(wireBytes(hex));
  });
});
