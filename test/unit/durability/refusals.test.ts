import { describe, expect, it } from "vitest";

import { Refusals } from "../../../src/durability/refusals.ts";

const times = { firstMs: 100, longestMs: 1500, hopelessMs: 3000 };

function refuse(refusals: Refusals, often: number): number[] {
  return Array.from({ length: often }, () => refusals.refused());
}

describe("Refusals", () => {
  it("waits twice as long after each, up to a limit", () => {
    expect(refuse(new Refusals(times), 7)).toEqual([100, 200, 400, 800, 1500, 1500, 1500]);
  });

  it("never waits longer than the limit, not even at first", () => {
    expect(new Refusals({ ...times, longestMs: 50 }).refused()).toBe(50);
  });

  it("is hopeless when the pauses before the last refusal come to so much", () => {
    const refusals = new Refusals(times);
    const hopeless = [0, 1, 2, 3, 4, 5, 6].map(() => {
      refusals.refused();
      return refusals.hopeless;
    });
    expect(hopeless).toEqual([false, false, false, false, false, true, true]);
  });

  it("begins anew when the server took it in between", () => {
    const refusals = new Refusals(times);
    refuse(refusals, 6);
    refusals.accepted();
    expect([refusals.hopeless, ...refuse(refusals, 2), refusals.hopeless]).toEqual([false, 100, 200, false]);
  });
});
