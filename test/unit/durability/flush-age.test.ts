import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { FlushAge } from "../../../src/durability/flush-age.ts";

describe("FlushAge", () => {
  it("knows of nothing that waits at first", () => {
    const age = new FlushAge();
    expect([age.oldestMs, age.uncoveredMs]).toEqual([undefined, undefined]);
  });

  it("counts from the oldest write that was acknowledged", () => {
    const age = new FlushAge();
    age.acknowledged(10);
    age.acknowledged(20);
    expect([age.oldestMs, age.uncoveredMs]).toEqual([10, 10]);
  });

  it("counts from the beginning of time, too", () => {
    const age = new FlushAge();
    age.acknowledged(0);
    age.acknowledged(5);
    age.sent();
    expect([age.oldestMs, age.uncoveredMs]).toEqual([0, undefined]);
    age.failed();
    expect([age.oldestMs, age.uncoveredMs]).toEqual([0, 0]);
  });

  it("tells what a FLUSH at the server covers from what came after it", () => {
    const age = new FlushAge();
    age.acknowledged(10);
    age.sent();
    expect([age.oldestMs, age.uncoveredMs]).toEqual([10, undefined]);
    age.acknowledged(20);
    expect([age.oldestMs, age.uncoveredMs]).toEqual([10, 20]);
    age.succeeded();
    expect([age.oldestMs, age.uncoveredMs]).toEqual([20, 20]);
  });

  it("forgets no age when a FLUSH fails or is lost", () => {
    const age = new FlushAge();
    age.acknowledged(10);
    age.sent();
    age.acknowledged(20);
    age.failed();
    expect([age.oldestMs, age.uncoveredMs]).toEqual([10, 10]);
    age.failed();
    expect([age.oldestMs, age.uncoveredMs]).toEqual([10, 10]);
    age.sent();
    age.succeeded();
    expect([age.oldestMs, age.uncoveredMs]).toEqual([undefined, undefined]);
  });

  it("has nothing more that waits when it is cleared", () => {
    const age = new FlushAge();
    age.acknowledged(10);
    age.sent();
    age.acknowledged(20);
    age.clear();
    expect([age.oldestMs, age.uncoveredMs]).toEqual([undefined, undefined]);
    age.acknowledged(30);
    expect(age.oldestMs).toBe(30);
  });

  it("agrees with a list of all writes about any history", () => {
    const step = fc.constantFrom("acknowledge", "acknowledge", "send", "succeed", "fail", "clear");
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const age = new FlushAge();
        let writes: { sinceMs: number; covered: boolean }[] = [];
        for (const [nowMs, one] of steps.entries()) {
          if (one === "acknowledge") {
            age.acknowledged(nowMs);
            writes.push({ sinceMs: nowMs, covered: false });
          } else if (one === "send") {
            age.sent();
            for (const write of writes) write.covered = true;
          } else if (one === "succeed") {
            age.succeeded();
            writes = writes.filter(({ covered }) => !covered);
          } else if (one === "fail") {
            age.failed();
            for (const write of writes) write.covered = false;
          } else {
            age.clear();
            writes = [];
          }
          expect(age.oldestMs).toBe(writes[0]?.sinceMs);
          expect(age.uncoveredMs).toBe(writes.find(({ covered }) => !covered)?.sinceMs);
        }
      }),
      { numRuns: 1000 },
    );
  });
});
