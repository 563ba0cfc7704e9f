import { describe, expect, it } from "vitest";

import { BrokenInvariant, INVARIANTS } from "../../../src/durability/invariants.ts";

describe("INVARIANTS", () => {
  it("says nothing as long as a rule holds", () => {
    expect(() => INVARIANTS.check(true, "I9", "something is wrong")).not.toThrow();
  });

  it("names the rule that is broken, and says how", () => {
    const check = (): void => INVARIANTS.check(false, "I9", "something is wrong");
    expect(check).toThrow(BrokenInvariant);
    expect(check).toThrow(expect.objectContaining({ name: "BrokenInvariant" }));
    expect(check).toThrow("invariant I9 is broken: something is wrong");
  });
});
