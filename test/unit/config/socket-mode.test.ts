import { describe, expect, it } from "vitest";

import { BadValue } from "../../../src/config/bad-value.ts";
import { parseSocketMode } from "../../../src/config/socket-mode.ts";

describe("parseSocketMode", () => {
  it.each([
    ["0600", 0o600],
    ["660", 0o660],
    ["0777", 0o777],
    ["0", 0],
  ])("reads %s as octal", (text, mode) => {
    expect(parseSocketMode(text)).toBe(mode);
  });

  it.each(["", "0800", "1777", "rw-------", "0o600", "-600", "6000"])("refuses %j", (text) => {
    expect(() => parseSocketMode(text)).toThrow(BadValue);
  });
});
