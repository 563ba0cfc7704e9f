import { describe, expect, it } from "vitest";

import { rotated } from "../../../bench/rotated.ts";

describe("rotated", () => {
  it("begins each round with the next player", () => {
    expect([0, 1, 2, 3].map((round) => rotated(["a", "b", "c"], round).join(""))).toEqual(["abc", "bca", "cab", "abc"]);
  });

  it("does without players", () => {
    expect(rotated([], 3)).toEqual([]);
  });
});
