import { describe, expect, it } from "vitest";
import { linkTables } from "../../../../bench/links/link-tables.ts";
import { linkResult } from "../../../../bench/links/link-result.ts";
import { LINKS } from "../../../../bench/links/link.ts";
import type { LinkFigures, LinkResult } from "../../../../bench/links/links-report.ts";

function result(contender: string, mibPerSecond: number, more: Partial<LinkFigures> = {}): LinkResult {
  const figures = { readsPerSecond: 1, mibPerSecond, fetchedPerAsked: 1, slowestShare: 1, ...more };
  return linkResult(contender, [figures], null);
}

const [LINK] = LINKS;

describe("linkTables", () => {
  it("shows what was reached, how it compares with no cache, and what was fetched for it", () => {
    if (LINK === undefined) throw new Error("there are links");
    const results = [result("flexnbd-proxy", 2), result("other", 5, { fetchedPerAsked: 1.25 })];
    expect(linkTables({ link: LINK, rows: [{ pattern: "forward-4k", results }] })).toBe(`\
MiB/s       flexnbd-proxy  other
forward-4k           2.00   5.00

by flexnbd-proxy  flexnbd-proxy  other
forward-4k                 1.00   2.50

fetched     flexnbd-proxy  other
forward-4k          1.000  1.250
`);
  });

  it("shows who got least where there were several readers, and why somebody has no figures", () => {
    if (LINK === undefined) throw new Error("there are links");
    const failed = linkResult("flexnbd-proxy", [], "it fell over");
    const results = [failed, result("other", 5, { slowestShare: 0.5 })];
    const text = linkTables({ link: LINK, rows: [{ pattern: "4-forward-64k", results }] });
    expect(text).toContain("slowest        flexnbd-proxy  other\n4-forward-64k              -   0.50\n");
    expect(text).toContain("by flexnbd-proxy  flexnbd-proxy  other\n4-forward-64k                 -      -\n");
    expect(text).toContain("4-forward-64k, flexnbd-proxy: it fell over\n");
  });
});
