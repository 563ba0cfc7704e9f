import { describe, expect, it } from "vitest";

import { HoldLimit } from "../../../src/upstream/hold-limit.ts";
import { ManualClock } from "../support/manual-clock.ts";

function setUp(timeoutMs: number | undefined = 30_000) {
  const clock = new ManualClock();
  const over: (readonly [atMs: number, timeoutMs: number])[] = [];
  const limit = new HoldLimit(clock, timeoutMs, (passedMs) => over.push([clock.nowMs(), passedMs]));
  return { clock, over, limit };
}

describe("HoldLimit", () => {
  it("is over when there was no connection for its time", () => {
    const { clock, over, limit } = setUp();
    limit.lost();
    clock.advance(29_999);
    expect(over).toEqual([]);
    clock.advance(1);
    expect([over, clock.pending]).toEqual([[[30_000, 30_000]], 0]);
  });

  it("waits while there is a connection, and goes on counting when that answered nothing", () => {
    const { clock, over, limit } = setUp();
    limit.lost();
    clock.advance(20_000);
    limit.connected();
    expect(clock.pending).toBe(0);
    clock.advance(5_000);
    limit.lost();
    clock.advance(4_999);
    expect(over).toEqual([]);
    clock.advance(1);
    expect(over).toHaveLength(1);
  });

  it("is over at once when the time has passed over a connection that answered nothing", () => {
    const { clock, over, limit } = setUp();
    limit.lost();
    limit.connected();
    clock.advance(40_000);
    limit.lost();
    clock.advance(0);
    expect(over).toEqual([[40_000, 30_000]]);
  });

  it("begins anew after an answer", () => {
    const { clock, over, limit } = setUp();
    limit.lost();
    clock.advance(29_000);
    limit.connected();
    limit.answered();
    limit.lost();
    clock.advance(29_999);
    expect(over).toEqual([]);
    clock.advance(1);
    expect(over).toEqual([[59_000, 30_000]]);
  });

  it("is never over without a time", () => {
    const clock = new ManualClock();
    const limit = new HoldLimit(clock, undefined, () => expect.unreachable());
    limit.lost();
    limit.connected();
    limit.lost();
    expect(clock.pending).toBe(0);
  });
});
