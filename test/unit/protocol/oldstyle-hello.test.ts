import fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { Geometry } from "../../../src/protocol/geometry.ts";
import { decodeOldstyleHello, encodeOldstyleHello } from "../../../src/protocol/oldstyle-hello.ts";
import { ProtocolViolation } from "../../../src/protocol/protocol-violation.ts";
import { geometry } from "../support/held-disk.ts";
import { wireBytes } from "./support/wire-bytes.ts";

/** A hello by hand; everything behind the size is given in hexadecimal. */
function hello(size: string, flags = "0000 0003", rest: Buffer = Buffer.alloc(124)): Buffer {
  return wireBytes("4e42444d41474943 0000420281861253", size, flags, rest);
}

describe("decodeOldstyleHello", () => {
  it("finds size and flags, and keeps the bytes", () => {
    const bytes = hello("0000000004000000", "0000 006d");
    expect(decodeOldstyleHello(bytes)).toEqual({
      sizeBytes: 0x4000000,
      flags: 0x6d,
      minimumBlockBytes: 1,
      preferredBlockBytes: 4096,
      maximumPayloadBytes: 0x2000000,
      name: "",
      description: "",
      contexts: [],
      oldstyleHello: bytes,
    });
  });

  it("takes zero flags for READ and WRITE alone, as old servers have them", () => {
    expect(decodeOldstyleHello(hello("0000000000001000", "0000 0000")).flags).toBe(0);
  });

  it.each([
    ["DF and RESIZE, which mean nothing here", "0000 0281", 0x01],
    ["FAST_ZERO without WRITE_ZEROES", "0000 0801", 0x01],
    ["what stands in the reserved half", "ffff 0003", 0x03],
  ])("offers nothing of %s", (_name, flags, expected) => {
    const bytes = hello("0000000000001000", flags);
    expect(decodeOldstyleHello(bytes)).toMatchObject({ flags: expected, oldstyleHello: bytes });
  });

  it("does not mind what stands in the padding, and keeps it", () => {
    const bytes = hello("0000000000001000", "0000 0001", Buffer.alloc(124, 0xa5));
    expect(decodeOldstyleHello(bytes)).toMatchObject({ sizeBytes: 4096, oldstyleHello: bytes });
  });

  it("takes the largest safe size, and an empty disk", () => {
    expect(decodeOldstyleHello(hello("001fffffffffffff")).sizeBytes).toBe(Number.MAX_SAFE_INTEGER);
    expect(decodeOldstyleHello(hello("0000000000000000")).sizeBytes).toBe(0);
  });

  it.each(["0020000000000000", "7fffffffffffffff", "8000000000000000", "ffffffffffffffff"])(
    "rejects a size of 0x%s",
    (size) => {
      expect(() => decodeOldstyleHello(hello(size))).toThrow(ProtocolViolation);
    },
  );
});

describe("encodeOldstyleHello", () => {
  it("repeats the hello of an old-style server byte for byte", () => {
    const bytes = hello("0000000004000000", "beef 0281", Buffer.alloc(124, 0xa5));
    expect(encodeOldstyleHello(decodeOldstyleHello(bytes))).toEqual(bytes);
  });

  it("makes one of 152 bytes for a disk whose server negotiates", () => {
    const made = encodeOldstyleHello(geometry({ sizeBytes: 0x1_2345_6789, flags: 0x6c, name: "not said" }));
    expect(made).toEqual(hello("0000000123456789", "0000 006d"));
    expect(made).toHaveLength(152);
  });

  it("offers no DF, which belongs to structured replies", () => {
    expect(encodeOldstyleHello(geometry({ sizeBytes: 4096, flags: 0x81 }))).toEqual(
      hello("0000000000001000", "0000 0001"),
    );
  });

  it("says HAS_FLAGS even for a disk with none", () => {
    expect(encodeOldstyleHello(geometry({ sizeBytes: 0, flags: 0 }))).toEqual(hello("0000000000000000", "0000 0001"));
  });

  it("makes what its counterpart understands, for any geometry", () => {
    const sizes = fc.record({ sizeBytes: fc.maxSafeNat(), flags: fc.nat(0x7f).map((flags) => flags | 1) });
    fc.assert(
      fc.property(sizes, (fields) => {
        const made = encodeOldstyleHello(geometry(fields));
        const found: Geometry = decodeOldstyleHello(made);
        expect(found).toMatchObject({ ...fields, oldstyleHello: made });
      }),
    );
  });
});
