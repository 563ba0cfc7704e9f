import { describe, expect, it } from "vitest";
import { BLOCK_BYTES, BURST_BLOCKS, demoPlan, demoSizeBytes } from "../../../src/demo/demo-plan.ts";

const MIB = 1024 * 1024;

describe("the size of the demo", () => {
  it("is 256 MiB where there is plenty of space", () => {
    expect(demoSizeBytes(1e12)).toBe(256 * MIB);
    expect(demoSizeBytes(512 * MIB)).toBe(256 * MIB);
  });

  it("leaves half of the free space free", () => {
    expect(demoSizeBytes(512 * MIB - 1)).toBe(128 * MIB);
    expect(demoSizeBytes(64 * MIB)).toBe(32 * MIB);
  });

  it("is undefined where there is too little space", () => {
    expect(demoSizeBytes(64 * MIB - 1)).toBeUndefined();
    expect(demoSizeBytes(0)).toBeUndefined();
  });
});

describe.each([256 * MIB, 128 * MIB, 64 * MIB, 32 * MIB])("the plan for %d bytes", (sizeBytes) => {
  const plan = demoPlan(sizeBytes);
  const legs = [plan.writing, plan.reading];

  it("kills the server at least five times on the way there and three times on the way back", () => {
    expect(plan.writing.length).toBeGreaterThanOrEqual(5);
    expect(plan.reading.length).toBeGreaterThanOrEqual(3);
  });

  it("kills in the middle of the copy, and never so close that requests under way would reach the next kill", () => {
    for (const leg of legs) {
      const moments = [0, ...leg.map(({ atBytes }) => atBytes), sizeBytes];
      for (const [index, moment] of moments.entries()) {
        if (index > 0) expect(moment - (moments[index - 1] ?? 0)).toBeGreaterThan(BURST_BLOCKS * BLOCK_BYTES);
      }
    }
  });

  it("kills in the middle of a burst", () => {
    const burstBytes = BURST_BLOCKS * BLOCK_BYTES;
    for (const { atBytes } of legs.flat()) expect(atBytes % burstBytes).toBe(burstBytes / 2);
  });

  it("keeps the server away for 0.3 to 2 s", () => {
    for (const { outageMs } of legs.flat()) {
      expect(outageMs).toBeGreaterThanOrEqual(300);
      expect(outageMs).toBeLessThanOrEqual(2000);
    }
  });
});
