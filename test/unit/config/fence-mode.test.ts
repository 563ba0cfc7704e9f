import { expect, it } from "vitest";

import { BadValue } from "../../../src/config/bad-value.ts";
import { parseFenceMode } from "../../../src/config/fence-mode.ts";

it.each(["none", "strict"])("takes %s", (text) => {
  expect(parseFenceMode(text)).toBe(text);
});

it.each(["", "STRICT", "off", "strict "])("refuses %j", (text) => {
  expect(() => parseFenceMode(text)).toThrow(BadValue);
});
