import { describe, expect, it } from "vitest";

import { Refusals } from "../../../src/durability/refusals.ts";

const times = { firstMs: 100, longestMs: 1500, hopelessMs: 10_000 };

describe("Refusals", () => {
  it("waits twice as long after each, up to a limit", () => {
    const refusals = new Refusals(times);
    expect([0, 1, 2, 3, 4, 5, 6].map((nowMs) => refusals.refused(nowMs))).toEqual([
      100, 200, 400, 800, 1500, 1500, 1500,
    ]);
  });

  it("never waits longer than the limit, not even at first", () => {
    expect(new Refusals({ ...times, longestMs: 50 }).refused(0)).toBe(50);
  });

  it("begins anew when the server took it in between", () => {
    const refusals = new Refusals(times);
    for (const nowMs of [0, 1, 2]) refusals.refused(nowMs);
    refusals.accepted();
    expect(refusals.hopeless(50_000)).toBe(false);
    expect([refusals.refused(60_000), refusals.refused(60_001)]).toEqual([100, 200]);
    expect([refusals.hopeless(69_999), refusals.hopeless(70_000)]).toEqual([false, true]);
  });

  it("is hopeless when the first is long ago, however many there were since", () => {
    const refusals = new Refusals(times);
    expect(refusals.hopeless(Infinity)).toBe(false);
    refusals.refused(5);
    expect([refusals.hopeless(5), refusals.hopeless(10_004), refusals.hopeless(10_005)]).toEqual([false, false, true]);
    refusals.refused(10_003);
    expect([refusals.hopeless(10_004), refusals.hopeless(10_005)]).toEqual([false, true]);
  });
});
