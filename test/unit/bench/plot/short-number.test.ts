import { expect, it } from "vitest";

import { shortNumber } from "../../../../bench/plot/short-number.ts";

it.each([
  [0, "0"],
  [0.964, "0.96"],
  [1, "1"],
  [1.5, "1.50"],
  [12.34, "12.3"],
  [123.4, "123"],
  [1_234.5, "1,235"],
  [1_234_567, "1,234,567"],
])("shows %j as %j", (value, text) => {
  expect(shortNumber(value)).toBe(text);
});
