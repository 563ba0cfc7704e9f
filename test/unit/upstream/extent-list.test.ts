import { describe, expect, it } from "vitest";

import { LIMITS } from "../../../src/limits.ts";
import { COMMAND_FLAG } from "../../../src/protocol/constants.ts";
import { ExtentList } from "../../../src/upstream/extent-list.ts";

const { FUA, REQ_ONE } = COMMAND_FLAG;

/** What is left of extents in an answer to a request of this length. */
function kept(length: number, extents: readonly (readonly [number, number])[], flags = 0): number[] {
  const list = new ExtentList({ flags, offset: 4096, length });
  for (const [bytes, meaning] of extents) list.add(bytes, meaning);
  return [...list.pairs];
}

describe("ExtentList", () => {
  it("keeps what tells of the request, in pairs", () => {
    expect(
      kept(100, [
        [10, 3],
        [20, 0xffff_ffff],
        [5, 0],
      ]),
    ).toEqual([10, 3, 20, 0xffff_ffff, 5, 0]);
    expect(kept(100, [])).toEqual([]);
  });

  it("keeps what overruns the request, and nothing behind it", () => {
    expect(
      kept(100, [
        [60, 1],
        [60, 2],
        [60, 3],
      ]),
    ).toEqual([60, 1, 60, 2]);
    expect(
      kept(100, [
        [60, 1],
        [40, 2],
        [60, 3],
      ]),
    ).toEqual([60, 1, 40, 2]);
    expect(
      kept(
        100,
        [
          [0xffff_ffff, 1],
          [1, 2],
        ],
        FUA,
      ),
    ).toEqual([0xffff_ffff, 1]);
  });

  it("keeps one extent for REQ_ONE, and none of it behind the request", () => {
    expect(
      kept(
        100,
        [
          [60, 1],
          [40, 2],
        ],
        REQ_ONE,
      ),
    ).toEqual([60, 1]);
    expect(
      kept(
        100,
        [
          [160, 1],
          [40, 2],
        ],
        REQ_ONE | FUA,
      ),
    ).toEqual([100, 1]);
    expect(kept(100, [[100, 1]], REQ_ONE)).toEqual([100, 1]);
  });

  it("never has an extent without length, even if nothing was asked", () => {
    expect(
      kept(
        0,
        [
          [60, 1],
          [40, 2],
        ],
        REQ_ONE,
      ),
    ).toEqual([60, 1]);
    expect(
      kept(0, [
        [60, 1],
        [40, 2],
      ]),
    ).toEqual([60, 1]);
  });

  it("keeps so many, in no more memory than they need", () => {
    for (const count of [15, 16, 17, 1000, LIMITS.statusExtents, LIMITS.statusExtents + 1]) {
      const extents = Array.from({ length: count }, (_, index) => [1, index] as const);
      const list = new ExtentList({ flags: 0, offset: 0, length: 2 ** 32 - 1 });
      for (const [bytes, meaning] of extents) list.add(bytes, meaning);
      expect([...list.pairs]).toEqual(extents.slice(0, LIMITS.statusExtents).flat());
      expect(list.pairs.buffer.byteLength).toBeLessThanOrEqual(8 * LIMITS.statusExtents);
    }
  });
});
