import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { ProtocolViolation } from "../../../src/protocol/protocol-violation.ts";
import {
  decodeRequestHeader,
  disconnectRequest,
  encodeRequestHeader,
  type RequestHeader,
} from "../../../src/protocol/request-header.ts";
import { requestBytes } from "../support/naive-codec.ts";

function blank(): RequestHeader {
  return { flags: 0, command: 0, cookieHigh: 0, cookieLow: 0, offset: 0, length: 0 };
}

function viewOf(bytes: Buffer): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

const headers = fc.record({
  flags: fc.nat(0xffff),
  command: fc.nat(0xffff),
  cookieHigh: fc.nat(0xffff_ffff),
  cookieLow: fc.nat(0xffff_ffff),
  offset: fc.oneof(fc.maxSafeNat(), fc.constantFrom(0, 2 ** 31, 2 ** 32 - 1, 2 ** 32, Number.MAX_SAFE_INTEGER)),
  length: fc.nat(0xffff_ffff),
});

describe("a request's header", () => {
  it("is written as the protocol's text lays it out, byte for byte", () => {
    const bytes = Buffer.alloc(28);
    encodeRequestHeader(viewOf(bytes), 0, {
      flags: 0x0001,
      command: 0x0006,
      cookieHigh: 0x01020304,
      cookieLow: 0xa5a6a7a8,
      offset: 0x0000_1234_8000_0001,
      length: 0xffff_fff0,
    });
    expect(bytes.toString("hex")).toBe(
      "25609513 0001 0006 01020304a5a6a7a8 0000123480000001 fffffff0".replaceAll(" ", ""),
    );
  });

  it("is the same for a naive codec, wherever it stands, and touches nothing around it", () => {
    fc.assert(
      fc.property(headers, fc.nat(9), (header, at) => {
        const bytes = Buffer.alloc(at + 28 + 3, 0xee);
        encodeRequestHeader(viewOf(bytes), at, header);
        const cookie = (BigInt(header.cookieHigh) << 32n) | BigInt(header.cookieLow);
        const naive = requestBytes({ ...header, cookie });
        expect(bytes.equals(Buffer.concat([Buffer.alloc(at, 0xee), naive, Buffer.alloc(3, 0xee)]))).toBe(true);
        const read = blank();
        decodeRequestHeader(viewOf(bytes), at, read);
        expect(read).toEqual(header);
      }),
    );
  });

  it("keeps an offset beyond 2^53 far beyond every export", () => {
    const read = blank();
    decodeRequestHeader(viewOf(requestBytes({ offset: 2n ** 64n - 1n })), 0, read);
    expect(read.offset).toBe(2 ** 64);
    decodeRequestHeader(viewOf(requestBytes({ offset: 2n ** 53n + 1n })), 0, read);
    expect(read.offset).toBeGreaterThan(Number.MAX_SAFE_INTEGER);
  });

  it("is refused when its magic is wrong by a single bit", () => {
    for (let bit = 0; bit < 32; bit += 1) {
      const bytes = requestBytes({});
      bytes.writeUInt32BE((bytes.readUInt32BE(0) ^ (1 << bit)) >>> 0, 0);
      expect(() => decodeRequestHeader(viewOf(bytes), 0, blank())).toThrow(ProtocolViolation);
    }
  });
});

describe("disconnectRequest", () => {
  it("is all zeros but magic and type", () => {
    expect(disconnectRequest().toString("hex")).toBe("2560951300000002".padEnd(56, "0"));
  });
});
