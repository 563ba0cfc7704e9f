import { describe, expect, it } from "vitest";

import { memoryCourse } from "../../../../bench/soak/memory-course.ts";

/** Samples every 30 s. */
function samples(...mib: readonly number[]) {
  return mib.map((value, i) => ({ atSeconds: (i + 1) * 30, residentKib: value * 1024, cpuShare: 0.5 }));
}

describe("memoryCourse", () => {
  it("tells the memory at each quarter, at the end, and the most there was", () => {
    expect(memoryCourse(samples(10, 20, 90, 40, 50, 60, 70, 80))).toMatchObject({
      quartersMib: [20, 40, 60, 80],
      peakMib: 90,
    });
  });

  it("tells how fast it grew in the last half, whatever was before", () => {
    expect(memoryCourse(samples(1, 100, 7, 3, 50, 51, 52, 53)).slopeMibPerMinute).toBeCloseTo(2);
    expect(memoryCourse(samples(1, 100, 7, 3, 50, 50, 50, 50)).slopeMibPerMinute).toBeCloseTo(0);
  });

  it("finds the line that is nearest to all of them", () => {
    expect(memoryCourse(samples(0, 0, 0, 0, 50, 52, 50, 52)).slopeMibPerMinute).toBeCloseTo(0.8);
  });

  it("has no slope from a single sample", () => {
    expect(memoryCourse(samples(64))).toEqual({ quartersMib: [64, 64, 64, 64], peakMib: 64, slopeMibPerMinute: null });
  });
});
