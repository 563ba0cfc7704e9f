import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { BrokenInvariant } from "../../../src/durability/invariants.ts";
import { SentWrites } from "../../../src/durability/sent-writes.ts";

describe("SentWrites", () => {
  it("counts those that are at the server", () => {
    const writes = new SentWrites();
    const first = { offset: 0, length: 10 };
    writes.add(first);
    writes.add({ offset: 10, length: 10 });
    writes.add({ offset: 30, length: 10 });
    expect(writes.count).toBe(3);
    writes.delete(first);
    writes.delete(first);
    expect(writes.count).toBe(2);
    writes.clear();
    expect(writes.count).toBe(0);
  });

  it.each([
    ["the same", 10, 10],
    ["its beginning", 5, 6],
    ["its end", 19, 6],
    ["some of its middle", 12, 1],
    ["all of it and more", 0, 40],
  ])("breaks I2 when one overlaps another: %s", (_, offset, length) => {
    const writes = new SentWrites();
    writes.add({ offset: 10, length: 10 });
    expect(() => writes.add({ offset, length })).toThrow(BrokenInvariant);
    expect(() => writes.add({ offset, length })).toThrow(
      `invariant I2 is broken: overlapping writes are at the server at once, at ${offset}`,
    );
    expect(writes.count).toBe(1);
  });

  it("has room where one was answered, and everywhere when the connection is lost", () => {
    const writes = new SentWrites();
    const answered = { offset: 0, length: 10 };
    writes.add(answered);
    writes.add({ offset: 10, length: 10 });
    writes.delete(answered);
    writes.add({ offset: 5, length: 5 });
    expect(() => writes.add({ offset: 9, length: 2 })).toThrow(BrokenInvariant);
    writes.clear();
    writes.add({ offset: 9, length: 2 });
    expect(writes.count).toBe(1);
  });

  it("breaks I2 whenever two have a byte in common, and only then", () => {
    const write = fc.record({ offset: fc.nat(40), length: fc.integer({ min: 1, max: 8 }) });
    fc.assert(
      fc.property(fc.array(write, { maxLength: 20 }), (asked) => {
        const writes = new SentWrites();
        const taken = new Set<number>();
        for (const one of asked) {
          const bytes = Array.from({ length: one.length }, (_, at) => one.offset + at);
          if (bytes.some((at) => taken.has(at))) expect(() => writes.add(one)).toThrow(BrokenInvariant);
          else {
            writes.add(one);
            for (const at of bytes) taken.add(at);
          }
        }
      }),
    );
  });
});
