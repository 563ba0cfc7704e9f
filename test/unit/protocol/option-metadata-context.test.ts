import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { decodeMetadataContext, encodeMetadataContext } from "../../../src/protocol/option-metadata-context.ts";
import { isProtocolText } from "../../../src/protocol/option-text.ts";
import { ProtocolViolation } from "../../../src/protocol/protocol-violation.ts";
import { wireBytes } from "./support/wire-bytes.ts";

const texts = fc.string({ unit: "binary", maxLength: 40 }).filter(isProtocolText);

describe("the data of a META_CONTEXT reply", () => {
  it("is the id and the name", () => {
    const bytes = wireBytes("fffffffe 626173653a616c6c6f636174696f6e");
    expect(encodeMetadataContext({ id: 0xfffffffe, name: "base:allocation" })).toEqual(bytes);
    expect(decodeMetadataContext(bytes)).toEqual({ id: 0xfffffffe, name: "base:allocation" });
  });

  it("is read as it was written", () => {
    fc.assert(
      fc.property(fc.record({ id: fc.nat(0xffffffff), name: texts }), (context) => {
        expect(decodeMetadataContext(encodeMetadataContext(context))).toEqual(context);
      }),
    );
  });

  it("has no name that can be repeated when that is not UTF-8 or contains NUL", () => {
    expect(decodeMetadataContext(wireBytes("00000001 ff"))).toEqual({ id: 1, name: undefined });
    expect(decodeMetadataContext(wireBytes("00000001 613a00"))).toEqual({ id: 1, name: undefined });
  });

  it("takes a name of 4096 bytes and no longer one, and needs an id", () => {
    expect(decodeMetadataContext(Buffer.alloc(4100, 0x61)).name).toHaveLength(4096);
    expect(() => decodeMetadataContext(Buffer.alloc(4101, 0x61))).toThrow(ProtocolViolation);
    for (let length = 0; length < 4; length += 1) {
      expect(() => decodeMetadataContext(Buffer.alloc(length))).toThrow(ProtocolViolation);
    }
  });
});
