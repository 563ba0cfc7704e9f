import { describe, expect, it } from "vitest";
import { linkResult, timesAsMuch } from "../../../../bench/links/link-result.ts";
import type { LinkFigures } from "../../../../bench/links/links-report.ts";

function round(mibPerSecond: number, fetchedPerAsked = 1): LinkFigures {
  return { readsPerSecond: mibPerSecond * 256, mibPerSecond, fetchedPerAsked, slowestShare: 1 };
}

describe("linkResult", () => {
  it("has the median of each figure", () => {
    const { figures } = linkResult("one", [round(3, 1), round(9, 5), round(1, 2)], null);
    expect(figures).toEqual({ readsPerSecond: 768, mibPerSecond: 3, fetchedPerAsked: 2, slowestShare: 1 });
  });

  it("has none when it failed, whatever it did before", () => {
    expect(linkResult("one", [round(3)], "it fell over").figures).toBeNull();
    expect(linkResult("one", [], null).figures).toBeNull();
  });
});

describe("timesAsMuch", () => {
  it("compares round by round", () => {
    const one = linkResult("one", [round(10), round(100), round(20)], null);
    const other = linkResult("other", [round(5), round(100), round(5)], null);
    expect(timesAsMuch(one, other)).toBe(2);
  });

  it("says nothing of who failed", () => {
    const one = linkResult("one", [round(10)], null);
    expect(timesAsMuch(one, linkResult("other", [round(5)], "it fell over"))).toBeUndefined();
    expect(timesAsMuch(one, undefined)).toBeUndefined();
  });
});
