import { describe, expect, it } from "vitest";

import { outageLengthsMs } from "../../../../bench/recovery/outage-lengths.ts";

describe("outageLengthsMs", () => {
  it("spreads the lengths evenly, both ends included", () => {
    const lengths = outageLengthsMs(4, { minSeconds: 1, maxSeconds: 10 });
    expect(lengths.toSorted((a, b) => a - b)).toEqual([1000, 4000, 7000, 10_000]);
  });

  it("mixes them, in every run alike", () => {
    const lengths = outageLengthsMs(20, { minSeconds: 1, maxSeconds: 10 });
    expect(lengths).not.toEqual(lengths.toSorted((a, b) => a - b));
    expect(outageLengthsMs(20, { minSeconds: 1, maxSeconds: 10 })).toEqual(lengths);
  });

  it("takes the shortest when there is to be one only", () => {
    expect(outageLengthsMs(1, { minSeconds: 0.5, maxSeconds: 2 })).toEqual([500]);
  });
});
