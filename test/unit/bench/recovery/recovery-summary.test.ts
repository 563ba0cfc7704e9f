import { describe, expect, it } from "vitest";

import { summarizeRecovery } from "../../../../bench/recovery/recovery-summary.ts";

function held(recoveryMs: number) {
  return { lengthMs: 1000, recoveryMs, failure: null };
}

const TOLD = { lengthMs: 1000, recoveryMs: null, failure: "the server answered with an error, EIO" };

describe("summarizeRecovery", () => {
  it("tells the median, the mean and the longest", () => {
    expect(summarizeRecovery("x", [held(40), held(10), held(100), held(50)])).toEqual({
      name: "x",
      outages: 4,
      failures: 0,
      medianMs: 45,
      meanMs: 50,
      maxMs: 100,
    });
  });

  it("counts the outages of which the client was told, and has no time for them", () => {
    expect(summarizeRecovery("x", [held(40), TOLD])).toMatchObject({
      outages: 2,
      failures: 1,
      medianMs: 40,
      maxMs: 40,
    });
  });

  it("has no times when the client was told of each", () => {
    expect(summarizeRecovery("x", [TOLD])).toMatchObject({ failures: 1, medianMs: null, meanMs: null, maxMs: null });
  });
});
