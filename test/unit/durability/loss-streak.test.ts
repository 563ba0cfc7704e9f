import { describe, expect, it } from "vitest";

import { LossStreak } from "../../../src/durability/loss-streak.ts";

const limits = { losses: 5, overMs: 60_000, aloneLosses: 2 };

/** A streak after losses at these times, in all of which other requests were in flight and none was answered. */
function streakOf(...timesMs: readonly number[]): LossStreak {
  const streak = new LossStreak(limits);
  for (const nowMs of timesMs) streak.lost(nowMs, 0, false);
  return streak;
}

describe("LossStreak", () => {
  it("suspects nothing at first", () => {
    const streak = new LossStreak(limits);
    expect([streak.suspect, streak.poison]).toEqual([false, false]);
  });

  it.each([
    ["five in a minute", [0, 1, 2, 3, 60_000], true],
    ["four in a minute", [0, 1, 2, 60_000], false],
    ["five in less", [0, 1, 2, 3, 59_999], false],
    ["five that did not begin at zero", [100, 101, 102, 103, 60_100], true],
    ["five in less, however late", [60_000, 60_001, 60_002, 60_003, 60_004], false],
    ["one more when the minute is over", [0, 1, 2, 3, 4, 5, 60_000], true],
    ["one loss, long after nothing", [600_000], false],
  ])("%s: %j, suspect: %s", (_, timesMs, suspect) => {
    const streak = streakOf(...timesMs);
    expect([streak.suspect, streak.poison]).toEqual([suspect, false]);
  });

  it("counts from the beginning when another request was answered in between", () => {
    const streak = new LossStreak(limits);
    for (const nowMs of [0, 10_000, 20_000, 30_000]) streak.lost(nowMs, 7, false);
    streak.lost(70_000, 8, false);
    expect(streak.suspect).toBe(false);
    for (const nowMs of [80_000, 90_000, 100_000]) streak.lost(nowMs, 8, false);
    // The fifth since the answer, and a minute after the first since then.
    streak.lost(129_999, 8, false);
    expect(streak.suspect).toBe(false);
    streak.lost(130_000, 8, false);
    expect(streak.suspect).toBe(true);
  });

  it("does not count those before an answer, however long ago", () => {
    const streak = new LossStreak(limits);
    for (const nowMs of [0, 1, 2, 3]) streak.lost(nowMs, 7, false);
    for (const nowMs of [10, 20, 30, 60_010]) streak.lost(nowMs, 8, false);
    expect(streak.suspect).toBe(false);
    streak.lost(60_011, 8, false);
    expect(streak.suspect).toBe(true);
  });

  it("never suspects anything while something is answered between any two losses", () => {
    const streak = new LossStreak(limits);
    for (let loss = 0; loss < 1000; loss += 1) {
      streak.lost(loss * 10_000, loss, loss % 2 === 0);
      expect([streak.suspect, streak.poison]).toEqual([false, false]);
    }
  });

  it("takes a suspect for poison after two losses at which it was alone, others do not count", () => {
    const streak = streakOf(0, 1, 2, 3, 60_000);
    const poison = [false, true, false, false, true].map((alone, index) => {
      streak.lost(60_001 + index, 0, alone);
      return streak.poison;
    });
    expect(poison).toEqual([false, false, false, false, true]);
    expect(streak.suspect).toBe(true);
  });

  it("does not count that it was alone before it was suspect", () => {
    const streak = new LossStreak(limits);
    for (const nowMs of [0, 1, 2, 3, 60_000]) streak.lost(nowMs, 0, true);
    expect([streak.suspect, streak.poison]).toEqual([true, false]);
    streak.lost(60_001, 0, true);
    expect(streak.poison).toBe(false);
  });

  it("remains suspect when others are answered meanwhile", () => {
    const streak = streakOf(0, 1, 2, 3, 60_000);
    streak.lost(70_000, 10, false);
    expect(streak.suspect).toBe(true);
    streak.lost(80_000, 20, true);
    streak.lost(90_000, 30, true);
    expect(streak.poison).toBe(true);
  });
});
