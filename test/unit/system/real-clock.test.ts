import { describe, expect, it } from "vitest";

import { RealClock } from "../../../src/system/real-clock.ts";

const clock = new RealClock();
const wait = (delayMs: number) => new Promise<void>((resolve) => void clock.setTimer(delayMs, resolve));

describe("RealClock", () => {
  it("never goes back", () => {
    const first = clock.nowMs();
    expect(clock.nowMs()).toBeGreaterThanOrEqual(first);
  });

  it("calls back later, never during the call", async () => {
    let called = false;
    const due = new Promise<void>((resolve) => {
      clock.setTimer(0, () => {
        called = true;
        resolve();
      });
    });
    expect(called).toBe(false);
    await due;
    expect(called).toBe(true);
  });

  it("lets time pass before it calls back", async () => {
    const before = clock.nowMs();
    await wait(20);
    // The engine's timers count whole milliseconds from the beginning of their turn, and may be one early.
    expect(clock.nowMs() - before).toBeGreaterThanOrEqual(18);
  });

  it("does not call back when cancelled, and may be cancelled at any time", async () => {
    let calls = 0;
    const cancelled = clock.setTimer(1, () => (calls += 10));
    cancelled.cancel();
    cancelled.cancel();
    const run = clock.setTimer(1, () => (calls += 1));
    await wait(5);
    run.cancel();
    expect(calls).toBe(1);
  });

  it.each([-1, Number.NaN, 2 ** 31, Infinity])("cannot wait %d ms", (delayMs) => {
    expect(() => clock.setTimer(delayMs, () => {})).toThrow(/cannot wait/);
  });
});
