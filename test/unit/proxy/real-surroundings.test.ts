import { describe, expect, it, vi } from "vitest";

import { LIMITS } from "../../../src/limits.ts";
import { realSurroundings } from "../../../src/proxy/real-surroundings.ts";
import { exportMemory } from "../../../src/proxy/surroundings.ts";

describe("realSurroundings", () => {
  it("has the machine's time and chance, and logs to stderr at the level that was asked for", () => {
    const write = vi.spyOn(process.stderr, "write").mockReturnValue(true);
    const { clock, random, log } = realSurroundings("warning");
    log.info("not this");
    log.warning("but this");
    const lines = write.mock.calls.map(([line]) => String(line));
    write.mockRestore();
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/:W:\d+ .*: but this\n$/);
    expect(clock.nowMs()).toBeGreaterThan(0);
    expect(random.next()).toBeLessThan(1);
  });
});

describe("exportMemory", () => {
  it("is sized by the limits, and empty", () => {
    const { pool, budget } = exportMemory();
    expect([pool.slabBytes, pool.heldBytes, budget.heldBytes]).toEqual([LIMITS.slabBytes, 0, 0]);
  });
});
