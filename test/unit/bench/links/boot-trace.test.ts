import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bootTrace } from "../../../../bench/links/boot-trace.ts";

const MIB = 1024 * 1024;

describe("bootTrace", () => {
  it("is the same for the same seed, and another for another", () => {
    const options = { runs: 20, areaBytes: 64 * MIB };
    expect(bootTrace({ ...options, seed: 1 })).toEqual(bootTrace({ ...options, seed: 1 }));
    expect(bootTrace({ ...options, seed: 1 })).not.toEqual(bootTrace({ ...options, seed: 2 }));
  });

  it("reads whole blocks within its area, 4 to 128 KiB at a time", () => {
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 1, max: 50 }), (seed, runs) => {
        const areaBytes = 16 * MIB;
        const trace = bootTrace({ seed, runs, areaBytes });
        expect(trace.length).toBeGreaterThanOrEqual(2 * runs);
        expect(trace.length).toBeLessThanOrEqual(40 * runs);
        for (const { offset, length } of trace) {
          expect(offset % 4096).toBe(0);
          expect(offset + length).toBeLessThanOrEqual(areaBytes);
          expect([4, 8, 16, 32, 64, 128]).toContain(length / 1024);
        }
      }),
      { numRuns: 30 },
    );
  });

  it("goes forward in most reads, some of them in turn with others, and comes back to some", () => {
    const trace = bootTrace({ seed: 1, runs: 300, areaBytes: 1024 * MIB });
    const follows = (distance: number): number =>
      trace.filter(({ offset }, i) => {
        const before = trace[i - distance];
        return before !== undefined && before.offset + before.length === offset;
      }).length;
    expect(follows(1)).toBeGreaterThan(trace.length / 3);
    expect(follows(2)).toBeGreaterThan(trace.length / 20);
    const places = new Set(trace.map(({ offset, length }) => `${offset} ${length}`));
    expect(places.size).toBeLessThan(0.95 * trace.length);
    expect(places.size).toBeGreaterThan(0.7 * trace.length);
  });
});
