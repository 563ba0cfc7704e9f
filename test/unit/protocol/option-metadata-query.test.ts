import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { decodeMetadataQuery, encodeMetadataQuery } from "../../../src/protocol/option-metadata-query.ts";
import { isProtocolText } from "../../../src/protocol/option-text.ts";
import { wireBytes } from "./support/wire-bytes.ts";

const texts = fc.string({ unit: "binary", maxLength: 40 }).filter(isProtocolText);
const queries = fc.record({ exportName: texts, queries: fc.array(texts, { maxLength: 5 }) });

describe("the data of LIST_META_CONTEXT and SET_META_CONTEXT", () => {
  it("is the name and the queries, each behind its length", () => {
    const bytes = encodeMetadataQuery({ exportName: "disk", queries: ["base:", "x-é:1"] });
    expect(bytes).toEqual(wireBytes("00000004 6469736b 00000002", "00000005 626173653a", "00000006 782dc3a93a31"));
    expect(encodeMetadataQuery({ exportName: "", queries: [] })).toEqual(wireBytes("00000000 00000000"));
  });

  it("is read as it was written, and not at all when it is cut short or goes on", () => {
    fc.assert(
      fc.property(queries, (query) => {
        const bytes = encodeMetadataQuery(query);
        expect(decodeMetadataQuery(bytes)).toEqual(query);
        expect(decodeMetadataQuery(Buffer.concat([bytes, Buffer.alloc(1)]))).toBeUndefined();
        for (let length = 0; length < bytes.length; length += 1) {
          expect(decodeMetadataQuery(bytes.subarray(0, length)), `${length} bytes`).toBeUndefined();
        }
      }),
    );
  });

  it("asserts that what is to be sent can be", () => {
    expect(() => encodeMetadataQuery({ exportName: "a\0", queries: [] })).toThrow(/string/);
    expect(() => encodeMetadataQuery({ exportName: "", queries: ["x".repeat(4097)] })).toThrow(/string/);
  });
});
