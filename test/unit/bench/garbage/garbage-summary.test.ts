import { describe, expect, it } from "vitest";

import type { Collection } from "../../../../bench/garbage/collection.ts";
import { summarizeGarbage } from "../../../../bench/garbage/garbage-summary.ts";

function collection(atMs: number, allocatedBytes: number, isScavenge = true): Collection {
  return { atMs, isScavenge, pauseMs: 5, allocatedBytes };
}

describe("summarizeGarbage", () => {
  it("counts from the first collection to the last, without what the first has collected", () => {
    const collections = [collection(500, 9_999_999), collection(1000, 1_000_000), collection(1500, 2_000_000)];
    expect(summarizeGarbage(collections, 10_000)).toEqual({
      bytesPerRequest: 300,
      scavengesPerSecond: 2,
      collectingShare: 0.01,
    });
  });

  it("counts what a collection of the whole heap found, but not as a scavenge", () => {
    const collections = [collection(0, 0), collection(500, 1000, false), collection(1000, 1000)];
    expect(summarizeGarbage(collections, 100)).toMatchObject({ bytesPerRequest: 20, scavengesPerSecond: 1 });
  });

  it.each([
    ["none", []],
    ["two", [collection(0, 0), collection(1000, 1000)]],
    ["several at the same moment", [collection(1, 1), collection(1, 1), collection(1, 1)]],
  ])("tells nothing from %s", (_, collections) => {
    expect(summarizeGarbage(collections, 100)).toEqual({
      bytesPerRequest: null,
      scavengesPerSecond: null,
      collectingShare: null,
    });
  });
});
