import { describe, expect, it } from "vitest";

import { busyShare, machineTime } from "../../../bench/machine-time.ts";

describe("busyShare", () => {
  it("is what was busy of what has passed", () => {
    expect(busyShare({ busyMs: 100, idleMs: 1000 }, { busyMs: 400, idleMs: 1100 })).toBe(0.75);
  });

  it("is 0 when no time was counted in between", () => {
    const once = machineTime();
    expect(busyShare(once, once)).toBe(0);
  });
});
