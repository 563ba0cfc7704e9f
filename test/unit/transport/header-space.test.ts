import { describe, expect, it } from "vitest";

import { HeaderSpace } from "../../../src/transport/header-space.ts";

describe("HeaderSpace", () => {
  it("gives empty slices with the headroom that was asked for, side by side", () => {
    const space = new HeaderSpace(64);
    const [one, other] = [space.take(16), space.take(28)];
    expect([one.length, one.headroomBytes, one.start]).toEqual([0, 16, 16]);
    expect([other.length, other.headroomBytes, other.start]).toEqual([0, 28, 44]);
    expect(other.slab).toBe(one.slab);
  });

  it("fills a slab to its end, then takes another and never the same again", () => {
    const space = new HeaderSpace(32);
    const slabs = Array.from({ length: 5 }, () => space.take(16).slab);
    expect(slabs[1]).toBe(slabs[0]);
    expect(slabs[2]).not.toBe(slabs[1]);
    expect(new Set(slabs).size).toBe(3);
  });
});
