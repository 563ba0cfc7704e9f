import { describe, expect, it } from "vitest";

import { Linger } from "../../../src/upstream/linger.ts";
import { ManualClock } from "../support/manual-clock.ts";

function setUp() {
  const clock = new ManualClock();
  const over: number[] = [];
  return { clock, over, linger: new Linger(clock, 60_000, () => over.push(clock.nowMs())) };
}

describe("Linger", () => {
  it("is over after its time, counted from when it began first", () => {
    const { clock, over, linger } = setUp();
    linger.begin();
    clock.advance(59_999);
    linger.begin();
    expect(over).toEqual([]);
    clock.advance(1);
    expect([over, clock.pending]).toEqual([[60_000], 0]);
  });

  it("ends when somebody is back, and begins anew after that", () => {
    const { clock, over, linger } = setUp();
    linger.begin();
    clock.advance(59_999);
    linger.end();
    linger.end();
    expect(clock.pending).toBe(0);
    clock.advance(10);
    linger.begin();
    clock.advance(59_999);
    expect(over).toEqual([]);
    clock.advance(1);
    expect(over).toHaveLength(1);
  });

  it("can be over again", () => {
    const { clock, over, linger } = setUp();
    for (let turn = 0; turn < 2; turn += 1) {
      linger.begin();
      clock.advance(60_000);
    }
    expect(over).toEqual([60_000, 120_000]);
  });
});
