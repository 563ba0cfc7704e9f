import { describe, expect, it } from "vitest";
import { CONTROLS } from "./controls.ts";
import { historyText } from "./history-text.ts";
import { search, type SearchOptions } from "./search.ts";

const LONG_MS = 180_000;

/** What is wrong with the first history that is wrong, told in full. */
function wrongIn(options: SearchOptions): string {
  const { firstViolation } = search({ ...options, first: true });
  if (firstViolation === undefined) return "";
  return historyText(firstViolation.workload, firstViolation.choices, options);
}

describe("in every history the disk is one disk, and a completed FLUSH keeps its word", () => {
  it.each([
    [1, 2, 1],
    [2, 1, 1],
    [2, 2, 0],
    [3, 1, 0],
  ])(
    "of %i operations with up to %i faults and %i waits",
    (operations, faults, waits) => {
      expect(wrongIn({ operations, faults, waits })).toBe("");
    },
    LONG_MS,
  );

  it("also where nothing is left out because others show as much", () => {
    const bounds = { operations: 2, faults: 1, waits: 0 };
    const [pruned, all] = [search(bounds), search({ ...bounds, pruned: false })];
    expect([pruned.violations, pruned.pruned > 0]).toEqual([0, true]);
    expect([all.violations, all.pruned, all.histories > pruned.histories]).toEqual([0, 0, true]);
  });

  it("whoever does the work", () => {
    const bounds = { operations: 2, faults: 1, waits: 0 };
    const parts = [0, 1, 2].map((job) => search({ ...bounds, jobs: 3, job }).histories);
    expect(parts.reduce((sum, part) => sum + part)).toBe(search(bounds).histories);
  });
});

describe("the search finds", () => {
  for (const [name, { apply, breaks, faults, flow = {}, operations, waits }] of Object.entries(CONTROLS)) {
    it(
      `${name}: ${breaks}`,
      () => {
        const mend = apply?.();
        try {
          expect(wrongIn({ operations, faults, waits, flow })).toContain("WRONG: ");
        } finally {
          mend?.();
        }
      },
      LONG_MS,
    );
  }

  it("it, and tells what the server must have done unseen", () => {
    const text = wrongIn({ operations: 1, faults: 1, waits: 0, flow: { unflushed: "off" } });
    expect(text).toContain("the server crashed, and 1 is left");
    expect(text).toContain("shows 1 to operation 1");
  });
});
