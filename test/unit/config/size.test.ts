import { describe, expect, it } from "vitest";

import { BadValue } from "../../../src/config/bad-value.ts";
import { parseDiskSize, parseSize } from "../../../src/config/size.ts";

describe("parseSize", () => {
  it.each([
    ["0", 0],
    ["4096", 4096],
    ["64K", 65_536],
    ["64k", 65_536],
    ["128M", 134_217_728],
    ["2G", 2_147_483_648],
    ["9007199254740991", Number.MAX_SAFE_INTEGER],
  ])("reads %s as %d bytes", (text, sizeBytes) => {
    expect(parseSize(text)).toBe(sizeBytes);
  });

  it.each(["", "K", "-1", "1.5M", "1T", "1KB", "1 K", " 1", "0x10", "1e3", "9007199254740992", "99999999999G"])(
    "refuses %j",
    (text) => {
      expect(() => parseSize(text)).toThrow(BadValue);
    },
  );
});

describe("parseDiskSize", () => {
  it("refuses a disk of no bytes", () => {
    expect(() => parseDiskSize("0")).toThrow(BadValue);
    expect(parseDiskSize("1M")).toBe(1_048_576);
  });
});
