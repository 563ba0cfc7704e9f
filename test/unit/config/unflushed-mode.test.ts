import { expect, it } from "vitest";

import { BadValue } from "../../../src/config/bad-value.ts";
import { parseUnflushedMode } from "../../../src/config/unflushed-mode.ts";

it.each(["log", "fua", "off"])("takes %s", (text) => {
  expect(parseUnflushedMode(text)).toBe(text);
});

it.each(["", "LOG", "on", "none", " log"])("refuses %j", (text) => {
  expect(() => parseUnflushedMode(text)).toThrow(BadValue);
});
