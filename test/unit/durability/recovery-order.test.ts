import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { recoveryOrder } from "../../../src/durability/recovery-order.ts";

const held = fc
  .array(fc.record({ writeLike: fc.boolean(), sentBefore: fc.boolean() }))
  .map((requests) => requests.map((request, admission) => ({ ...request, admission })))
  .chain((requests) => fc.shuffledSubarray(requests, { minLength: requests.length }));

describe("recoveryOrder", () => {
  it("puts writes that were sent before first, then everything else, each in the order of admission", () => {
    const write = { writeLike: true, sentBefore: true };
    const newWrite = { writeLike: true, sentBefore: false };
    const read = { writeLike: false, sentBefore: true };
    const requests = [read, write, newWrite, write, read].map((request, index) => ({ ...request, admission: index }));
    const { first, afterwards } = recoveryOrder(requests.toReversed());
    expect(first.map(({ admission }) => admission)).toEqual([1, 3]);
    expect(afterwards.map(({ admission }) => admission)).toEqual([0, 2, 4]);
  });

  it("loses and adds nothing, and keeps both steps in order, whatever is held", () => {
    fc.assert(
      fc.property(held, (requests) => {
        const { first, afterwards } = recoveryOrder(new Set(requests));
        const all = [...first, ...afterwards];
        expect(all).toHaveLength(requests.length);
        expect(new Set(all)).toEqual(new Set(requests));
        for (const step of [first, afterwards]) {
          for (const [index, { admission }] of step.entries()) {
            if (index > 0) expect(admission).toBeGreaterThan(step[index - 1]?.admission ?? Infinity);
          }
        }
        expect(first.every(({ writeLike, sentBefore }) => writeLike && sentBefore)).toBe(true);
        expect(afterwards.some(({ writeLike, sentBefore }) => writeLike && sentBefore)).toBe(false);
      }),
    );
  });
});
