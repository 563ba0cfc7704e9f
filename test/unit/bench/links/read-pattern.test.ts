import { describe, expect, it } from "vitest";
import { AREA_BYTES, READ_PATTERNS } from "../../../../bench/links/read-pattern.ts";

const LOOKED_AT_READS = 1000;

describe("READ_PATTERNS", () => {
  it("have names of their own", () => {
    const names = READ_PATTERNS.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  });

  it.each(READ_PATTERNS.map((pattern) => [pattern.name, pattern] as const))(
    "%s stays within its area, and is the same each time",
    (_, { readers }) => {
      for (const reader of readers) {
        const again = reader()[Symbol.iterator]();
        let count = 0;
        for (const { offset, length } of reader()) {
          expect(again.next().value).toEqual({ offset, length });
          expect(offset).toBeGreaterThanOrEqual(0);
          expect(offset + length).toBeLessThanOrEqual(AREA_BYTES);
          count += 1;
          if (count === LOOKED_AT_READS) break;
        }
        expect(count).toBe(LOOKED_AT_READS);
      }
    },
  );

  it("give several readers a place of their own each", () => {
    for (const { readers } of READ_PATTERNS) {
      const begins = readers.map((reader) => JSON.stringify(reader()[Symbol.iterator]().next().value));
      expect(new Set(begins).size).toBe(readers.length);
    }
  });
});
