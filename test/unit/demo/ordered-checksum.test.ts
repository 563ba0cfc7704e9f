import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { OrderedChecksum } from "../../../src/demo/ordered-checksum.ts";

const whole = Buffer.from("abcdefghij");
const expected = createHash("sha256").update(whole).digest("hex");

function checksumOf(...ranges: readonly (readonly [number, number])[]): string {
  const checksum = new OrderedChecksum();
  for (const [start, end] of ranges) checksum.add(start, whole.subarray(start, end));
  return checksum.digest();
}

describe("an ordered checksum", () => {
  it("is that of the whole, in whatever order its blocks come", () => {
    expect(checksumOf([0, 10])).toBe(expected);
    expect(checksumOf([0, 3], [3, 7], [7, 10])).toBe(expected);
    expect(checksumOf([7, 10], [3, 7], [0, 3])).toBe(expected);
    expect(checksumOf([3, 7], [0, 3], [7, 10])).toBe(expected);
  });

  it("is another one when a block is missing", () => {
    expect(checksumOf([0, 3], [7, 10])).not.toBe(expected);
  });
});
