import { expect, it } from "vitest";

import { BadValue } from "../../../src/config/bad-value.ts";
import { parseGreetingStyle } from "../../../src/config/greeting-style.ts";

it.each(["auto", "oldstyle", "newstyle"])("takes %s", (text) => {
  expect(parseGreetingStyle(text)).toBe(text);
});

it.each(["", "AUTO", "old", "new-style", " auto"])("refuses %j", (text) => {
  expect(() => parseGreetingStyle(text)).toThrow(BadValue);
});
