import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { alongBytes, fetchBytes, guesses, streamReachBytes } from "../../../src/disks/read-ahead-plan.ts";
import { SequentialStream } from "../../../src/disks/sequential-stream.ts";

const K = 1024;
const M = K * K;

/** A stream that has read so many times `lengthK` KiB from the beginning of the disk. */
function stream(reads: number, lengthK: number, aheadK = 0): SequentialStream {
  const one = new SequentialStream(0, lengthK * K, 1, true);
  for (let read = 1; read < reads; read += 1) one.advance(lengthK * K, read + 1);
  one.aheadOffset = one.nextOffset + aheadK * K;
  return one;
}

function bounds(cacheK: number, endK = M, maximumK = 32 * K): Parameters<typeof guesses>[0] {
  return { cacheBytes: cacheK * K, endOffset: endK * K, maximumPayloadBytes: maximumK * K };
}

describe("guesses", () => {
  it.each([
    [4, true],
    [64, true],
    [65, false],
    [16 * K, false],
  ])("with %i KiB: %s", (cacheK, expected) => {
    expect(guesses(bounds(cacheK))).toBe(expected);
  });
});

describe("streamReachBytes", () => {
  it.each([
    ["twice the distance", 1000, 1, 16 * K, 2000],
    ["a share of it", 1000, 4, 16 * K, 500],
    ["any distance while none is known", Infinity, 8, 16 * K, Infinity],
    ["any distance with little memory", 1, 1, 64, Infinity],
  ])("is %s", (_, distanceK, streams, cacheK, expectedK) => {
    expect(streamReachBytes(distanceK * K, streams, bounds(cacheK))).toBe(expectedK * K);
  });
});

describe("alongBytes", () => {
  it.each([
    ["as many again", stream(1, 4), bounds(4), 4],
    ["no more for a reader that went on for long", stream(100, 4), bounds(16 * K), 4],
    ["nothing for a read longer than the memory", stream(1, 8), bounds(4), 0],
    ["nothing when something lies ahead", stream(2, 4, 4), bounds(64), 0],
    ["what is left before the end", stream(2, 4), bounds(4, 10), 2],
    ["nothing at the end", stream(2, 4), bounds(4, 8), 0],
    ["nothing above the maximum payload", stream(2, 4), bounds(4, M, 7), 0],
    ["the maximum payload", stream(2, 4), bounds(4, M, 8), 4],
  ])("asks for %s", (_, one, limits, expectedK) => {
    expect(alongBytes(one, Infinity, limits)).toBe(expectedK * K);
  });

  it("asks for nothing where it does not reach that far", () => {
    expect(alongBytes(stream(4, 64), 63 * K, bounds(16 * K))).toBe(0);
    expect(alongBytes(stream(4, 64), 64 * K, bounds(16 * K))).toBe(64 * K);
  });

  it("asks for nothing where fetching failed, until the reader is past it", () => {
    const one = stream(4, 4);
    one.distrust(24 * K);
    expect(alongBytes(one, Infinity, bounds(4))).toBe(0);
    one.advance(4 * K, 5);
    one.advance(4 * K, 6);
    expect(alongBytes(one, Infinity, bounds(4))).toBe(0);
    one.advance(4 * K, 7);
    expect(alongBytes(one, Infinity, bounds(4))).toBe(4 * K);
  });
});

describe("fetchBytes", () => {
  it.each([
    ["as much as was read", stream(8, 4), 16 * K, bounds(16 * K), 32],
    ["nothing while more than half of that is there", stream(8, 4, 20), 16 * K, bounds(16 * K), 0],
    ["the rest when half is used", stream(8, 4, 16), 16 * K, bounds(16 * K), 16],
    ["1 MiB at most", stream(512, 4), 16 * K, bounds(16 * K), K],
    ["half of the share at most", stream(100, 4), 64, bounds(64), 32],
    ["the maximum payload at most", stream(100, 4), 16 * K, bounds(16 * K, M, 64), 64],
    ["one read at least, however long", stream(4, 2 * K), 16 * K, bounds(16 * K), 0],
    ["nothing with memory for one read", stream(8, 4), 7, bounds(7), 0],
    ["whole reads", stream(10, 3), 16 * K, bounds(16 * K), 30],
    ["whole reads of half the share", stream(10, 3), 20, bounds(20), 9],
    ["what is left before the end", stream(8, 4), 16 * K, bounds(16 * K, 34), 2],
    ["nothing at the end", stream(8, 4), 16 * K, bounds(16 * K, 32), 0],
  ])("asks for %s", (_, one, shareK, limits, expectedK) => {
    expect(fetchBytes(one, shareK * K, Infinity, limits)).toBe(expectedK * K);
  });

  it.each([
    ["no further than it reaches", stream(200, 4), 64, 64],
    ["the rest of that when half of it is used", stream(200, 4, 32), 64, 32],
    ["nothing when it does not reach over one read", stream(8, 64), 63, 0],
    ["one read ahead of whom is trusted so far", stream(32, 64), 63, 64],
    ["a 32nd of what was read in a row, however near the disk is", stream(1024, 4), 32, 128],
    ["no more than 256 KiB for that reason", stream(10_240, 4), 32, 256],
  ])("asks for %s", (_, one, reachK, expectedK) => {
    expect(fetchBytes(one, 16 * M, reachK * K, bounds(64 * K))).toBe(expectedK * K);
  });

  it("counts what is held for the stream, even when it was read", () => {
    const one = stream(100, 4);
    one.heldBytes = 48 * K;
    expect(fetchBytes(one, 64 * K, Infinity, bounds(64))).toBe(0);
    one.heldBytes = 32 * K;
    expect(fetchBytes(one, 64 * K, Infinity, bounds(64))).toBe(32 * K);
  });

  it("looks further than 1 MiB only for a reader that had to wait", () => {
    const one = stream(1024, 4, K);
    expect(fetchBytes(one, 64 * M, Infinity, bounds(64 * K))).toBe(0);
    one.waited();
    expect(fetchBytes(one, 64 * M, Infinity, bounds(64 * K))).toBe(M);
    one.restart();
    one.waited();
    expect(one.windowBytes).toBe(0);
  });

  it("never asks for more than fits, ends, or may be asked for, in any state", () => {
    const kilo = fc.integer({ min: 1, max: 4096 });
    fc.assert(
      fc.property(
        fc.record({
          reads: fc.integer({ min: 1, max: 500 }),
          lengthK: fc.integer({ min: 1, max: 256 }),
          aheadK: fc.nat(2048),
        }),
        fc.record({ cacheK: kilo, restK: fc.nat(2048), maximumK: kilo, sharers: fc.integer({ min: 1, max: 8 }) }),
        fc.nat(4096),
        fc.oneof(fc.nat(4096 * K), fc.constant(Infinity)),
        ({ reads, lengthK, aheadK }, { cacheK, restK, maximumK, sharers }, heldK, reachBytes) => {
          fc.pre(maximumK >= lengthK && cacheK >= lengthK);
          const one = stream(reads, lengthK, aheadK);
          one.heldBytes = heldK * K;
          const limits = bounds(cacheK, reads * lengthK + aheadK + restK, maximumK);
          const shareBytes = Math.floor((cacheK * K) / sharers);
          const bytes = fetchBytes(one, shareBytes, reachBytes, limits);
          expect(bytes).toBeGreaterThanOrEqual(0);
          expect(bytes).toBeLessThanOrEqual(Math.min(restK, maximumK) * K);
          if (bytes > 0) {
            expect(bytes + heldK * K).toBeLessThanOrEqual(shareBytes);
            // In vain is never more than was of use.
            expect(aheadK * K + bytes).toBeLessThanOrEqual(reads * lengthK * K);
          }
          if (bytes < restK * K) expect(bytes % (lengthK * K)).toBe(0);
          const along = alongBytes(one, reachBytes, limits);
          expect(along).toBeLessThanOrEqual(Math.min(lengthK, restK, maximumK - lengthK) * K);
        },
      ),
    );
  });
});
