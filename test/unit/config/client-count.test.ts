import { expect, it } from "vitest";

import { BadValue } from "../../../src/config/bad-value.ts";
import { parseClientCount } from "../../../src/config/client-count.ts";

it.each([
  ["1", 1],
  ["16", 16],
  ["1024", 1024],
])("reads %s as %d clients", (text, count) => {
  expect(parseClientCount(text)).toBe(count);
});

it.each(["", "0", "1025", "-1", "1.5", "1e2", "4K", " 4", "many"])("refuses %j as a number of clients", (text) => {
  expect(() => parseClientCount(text)).toThrow(BadValue);
});
