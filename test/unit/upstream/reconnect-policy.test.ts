import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { LIMITS } from "../../../src/limits.ts";
import { ReconnectPolicy } from "../../../src/upstream/reconnect-policy.ts";

const steady = { next: () => 0.5 };

describe("ReconnectPolicy", () => {
  it("tries every 100 ms for a minute, then half as often each time, up to the maximum", () => {
    const policy = new ReconnectPolicy(steady, 5000);
    expect([0, 30_000, 59_999].map((outageMs) => policy.nextDelayMs(outageMs))).toEqual([100, 100, 100]);
    const later = Array.from({ length: 8 }, () => policy.nextDelayMs(60_000));
    expect(later).toEqual([200, 400, 800, 1600, 3200, 5000, 5000, 5000]);
  });

  it("begins again when the server is proven to be back", () => {
    const policy = new ReconnectPolicy(steady, 5000);
    for (let count = 0; count < 5; count += 1) policy.nextDelayMs(70_000);
    policy.reset();
    expect(policy.nextDelayMs(0)).toBe(100);
    expect(policy.nextDelayMs(60_000)).toBe(200);
  });

  it("never waits longer than the maximum, not even at first", () => {
    const policy = new ReconnectPolicy(steady, 50);
    expect([policy.nextDelayMs(0), policy.nextDelayMs(60_000)]).toEqual([50, 50]);
  });

  it("still has a number after days", () => {
    const policy = new ReconnectPolicy(steady, 5000);
    for (let count = 0; count < 5000; count += 1) expect(policy.nextDelayMs(1e9)).toBeLessThanOrEqual(5000);
  });

  it("spreads every delay by a fifth to either side", () => {
    expect(new ReconnectPolicy({ next: () => 0 }, 5000).nextDelayMs(0)).toBeCloseTo(80);
    expect(new ReconnectPolicy({ next: () => 0.999_999 }, 5000).nextDelayMs(0)).toBeCloseTo(120, 3);
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (chance) => {
        const delayMs = new ReconnectPolicy({ next: () => chance }, 5000).nextDelayMs(0);
        expect(Math.abs(delayMs - LIMITS.retryMs)).toBeLessThanOrEqual(LIMITS.retryMs * LIMITS.retryJitter + 1e-9);
      }),
    );
  });
});
