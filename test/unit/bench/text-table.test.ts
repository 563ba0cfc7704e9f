import { describe, expect, it } from "vitest";

import { textTable } from "../../../bench/text-table.ts";

describe("textTable", () => {
  it("sets the first column to the left and the others to the right", () => {
    const rows = [
      ["", "a", "long"],
      ["name", "12", "1"],
    ];
    expect(textTable(rows)).toBe("       a  long\nname  12     1\n");
  });

  it("is empty without rows", () => {
    expect(textTable([])).toBe("");
  });
});
