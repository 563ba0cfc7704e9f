import { describe, expect, it } from "vitest";

import { MessageDeadline } from "../../../src/downstream/message-deadline.ts";
import { LIMITS } from "../../../src/limits.ts";
import { ManualClock } from "../support/manual-clock.ts";

const MIB = 1024 * 1024;

function setUp() {
  const clock = new ManualClock();
  const lateAtMs: number[] = [];
  const deadline = new MessageDeadline(clock, () => lateAtMs.push(clock.nowMs()));
  return { clock, lateAtMs, deadline };
}

describe("MessageDeadline", () => {
  it("has no timer while nothing is begun", () => {
    const { clock, lateAtMs, deadline } = setUp();
    deadline.complete();
    clock.advance(24 * 3_600_000);
    expect([lateAtMs, clock.pending]).toEqual([[], 0]);
  });

  it("gives a header 30 seconds from its first byte, however often more of it comes", () => {
    const { clock, lateAtMs, deadline } = setUp();
    clock.advance(1000);
    for (let second = 0; second < 29; second += 1) {
      deadline.incomplete(0, 0);
      clock.advance(1000);
    }
    expect(lateAtMs).toEqual([]);
    clock.advance(5000);
    expect(lateAtMs).toEqual([31_000]);
  });

  it("gives a payload as much more as it takes at 1 Mbit/s, counted once", () => {
    const { clock, lateAtMs, deadline } = setUp();
    const allowedMs = LIMITS.messageMs + (32 * MIB) / LIMITS.payloadBytesPerMs;
    for (let left = 32 * MIB; left > 0 && lateAtMs.length === 0; left -= 100) {
      deadline.incomplete(0, left);
      clock.advance(1000);
    }
    expect(lateAtMs).toEqual([allowedMs]);
    expect(allowedMs).toBe(292_144);
  });

  it("gives a payload its time also when its header came in pieces", () => {
    const { clock, lateAtMs, deadline } = setUp();
    deadline.incomplete(0, 0);
    clock.advance(10_000);
    deadline.incomplete(0, MIB);
    clock.advance(20_000 + MIB / LIMITS.payloadBytesPerMs - 1);
    expect(lateAtMs).toEqual([]);
    clock.advance(1);
    expect(lateAtMs).toHaveLength(1);
  });

  it("gives every message its own time", () => {
    const { clock, lateAtMs, deadline } = setUp();
    for (let number = 0; number < 100; number += 1) {
      deadline.incomplete(number, 0);
      clock.advance(LIMITS.messageMs - 1);
    }
    expect(lateAtMs).toEqual([]);
    clock.advance(1);
    expect(lateAtMs).toHaveLength(1);
  });

  it("does not give a short message the time of the long one before it", () => {
    const { clock, lateAtMs, deadline } = setUp();
    deadline.incomplete(0, 32 * MIB);
    clock.advance(40_000);
    deadline.complete();
    clock.advance(5000);
    deadline.incomplete(1, 0);
    clock.advance(LIMITS.messageMs);
    expect(lateAtMs).toEqual([45_000 + LIMITS.messageMs]);
  });

  it("forgets what is complete, or waits for us, and begins anew after that", () => {
    const { clock, lateAtMs, deadline } = setUp();
    deadline.incomplete(0, 0);
    clock.advance(LIMITS.messageMs - 1);
    deadline.complete();
    clock.advance(3_600_000);
    deadline.incomplete(0, 0);
    clock.advance(LIMITS.messageMs - 1);
    expect(lateAtMs).toEqual([]);
    clock.advance(1);
    expect(lateAtMs).toHaveLength(1);
  });

  it("has one timer at most, and none when it is stopped", () => {
    const { clock, lateAtMs, deadline } = setUp();
    for (let number = 0; number < 100; number += 1) {
      deadline.incomplete(number, number * 1000);
      deadline.complete();
      expect(clock.pending).toBe(1);
    }
    deadline.incomplete(100, 0);
    deadline.stop();
    deadline.stop();
    clock.advance(3_600_000);
    expect([lateAtMs, clock.pending]).toEqual([[], 0]);
  });

  it("looks again, and in no tight loop, when the clock stopped a fraction short", () => {
    const lateAtMs: number[] = [];
    const clock = new ManualClock();
    let shortMs = 0;
    const short = { nowMs: () => clock.nowMs() - shortMs, setTimer: clock.setTimer.bind(clock) };
    const deadline = new MessageDeadline(short, () => lateAtMs.push(clock.nowMs()));
    deadline.incomplete(0, 0);
    shortMs = 0.001;
    clock.advance(LIMITS.messageMs);
    expect([lateAtMs, clock.nextInMs]).toEqual([[], 1]);
    clock.advance(1);
    expect(lateAtMs).toHaveLength(1);
  });
});
