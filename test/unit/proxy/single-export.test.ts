import { describe, expect, it } from "vitest";

import { SingleExport } from "../../../src/proxy/single-export.ts";
import { HeldDisk } from "../support/held-disk.ts";

describe("SingleExport", () => {
  const disk = new HeldDisk({ description: "what it is" });
  const exports = new SingleExport("disk", disk);

  it("serves its disk under its name and as the default export, and nothing else", async () => {
    expect(await exports.open("disk")).toBe(disk);
    expect(await exports.open("")).toBe(disk);
    for (const name of ["Disk", "disk ", "__proto__", "other"]) expect(await exports.open(name)).toBeUndefined();
  });

  it("lists it with its description", async () => {
    expect(await exports.list()).toEqual([{ name: "disk", description: "what it is" }]);
  });
});
