import { expect, it } from "vitest";

import { RealRandom } from "../../../src/system/real-random.ts";

it("gives different numbers from 0 to below 1", () => {
  const random = new RealRandom();
  const numbers = Array.from({ length: 100 }, () => random.next());
  expect(numbers.every((number) => number >= 0 && number < 1)).toBe(true);
  expect(new Set(numbers).size).toBeGreaterThan(90);
});
