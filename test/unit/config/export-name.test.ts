import { describe, expect, it } from "vitest";

import { BadValue } from "../../../src/config/bad-value.ts";
import { parseExportName } from "../../../src/config/export-name.ts";

describe("parseExportName", () => {
  it("takes any text of up to 4096 bytes, the empty one as well", () => {
    expect(parseExportName("")).toBe("");
    expect(parseExportName("disk/ä b")).toBe("disk/ä b");
    expect(parseExportName("ä".repeat(2048))).toHaveLength(2048);
  });

  it("refuses what the protocol cannot carry", () => {
    expect(() => parseExportName(`${"ä".repeat(2048)}x`)).toThrow(BadValue);
    expect(() => parseExportName("a\0b")).toThrow(BadValue);
  });
});
