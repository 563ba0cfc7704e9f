import { describe, expect, it } from "vitest";

import { median } from "../../../bench/median.ts";

describe("median", () => {
  it.each([
    [[], undefined],
    [[7], 7],
    [[10, 9, 100], 10],
    [[4, 1, 3, 2], 2.5],
  ])("of %j is %j", (numbers, expected) => {
    expect(median(numbers)).toBe(expected);
  });

  it("leaves the numbers in their order", () => {
    const numbers = [3, 1, 2];
    median(numbers);
    expect(numbers).toEqual([3, 1, 2]);
  });
});
