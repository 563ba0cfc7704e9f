import { describe, expect, it } from "vitest";

import { BLOCK_BYTES, FOREIGN, MIXED, readTags, readValue, writeTags } from "../../../campaign/block-tag.ts";

function tagged(firstBlock: number, blocks: number, value: number, client = 0): Buffer {
  const bytes = Buffer.alloc(blocks * BLOCK_BYTES);
  writeTags(bytes, firstBlock, value, client);
  return bytes;
}

describe("a block's tag", () => {
  it("tells the value of each block of a write", () => {
    const bytes = tagged(100, 3, 7, 2);
    expect([0, 1, 2].map((index) => readValue(bytes, index * BLOCK_BYTES, 100 + index))).toEqual([7, 7, 7]);
    expect(readTags(bytes, BLOCK_BYTES)).toEqual([{ block: 101, value: 7, client: 2 }]);
  });

  it("is 0 for zeros, wherever they are", () => {
    expect(readValue(Buffer.alloc(BLOCK_BYTES), 0, 12)).toBe(0);
  });

  it("is foreign in another block, and for bytes that nobody has written", () => {
    expect(readValue(tagged(100, 1, 7), 0, 101)).toBe(FOREIGN);
    expect(readValue(Buffer.alloc(BLOCK_BYTES, 0x5a), 0, 0)).toBe(FOREIGN);
    expect(readTags(Buffer.alloc(BLOCK_BYTES, 0x5a), 0)).toEqual([undefined]);
  });

  it.each([16, 256, 496])("is mixed when only the first %d bytes are of one write", (at) => {
    const bytes = Buffer.concat([tagged(5, 1, 7).subarray(0, at), tagged(5, 1, 8).subarray(at)]);
    expect(readValue(bytes, 0, 5)).toBe(MIXED);
    expect(readTags(bytes, 0).map((tag) => tag?.value)).toEqual([7, 8]);
  });

  it("is mixed when a single byte is wrong", () => {
    const bytes = tagged(5, 1, 7);
    bytes[304] = 0xff;
    expect(readValue(bytes, 0, 5)).toBe(MIXED);
    expect(readTags(bytes, 0)).toContain(undefined);
  });
});
