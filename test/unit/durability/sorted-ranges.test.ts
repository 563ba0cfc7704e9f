import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { SortedRanges } from "../../../src/durability/sorted-ranges.ts";
import { type NamedRange, NaiveRanges } from "./naive-ranges.ts";

/** What `replace` puts in the place of what it takes out. */
type Making = "nothing" | "one" | "the same" | "crumbs";

const makings: readonly Making[] = ["nothing", "one", "the same", "crumbs"];

function named(start: number, end: number, name = `${start}-${end}`): NamedRange {
  return { start, end, name };
}

/** So many ranges of three bytes, each with a gap behind it. */
function filled(count: number): { ranges: SortedRanges<NamedRange>; naive: NaiveRanges } {
  const ranges = new SortedRanges<NamedRange>();
  const naive = new NaiveRanges(4 * count + 100);
  for (let index = 0; index < count; index += 1) {
    const one = named(4 * index, 4 * index + 3);
    ranges.replace(one.start, one.end, () => [one]);
    naive.replace(one.start, one.end, () => [one]);
  }
  return { ranges, naive };
}

/** What stands over on either side stays; in between there is what was asked for. */
function makingOf(making: Making, start: number, end: number, name: string) {
  return (covered: readonly NamedRange[]): readonly NamedRange[] => {
    if (making === "the same") return covered;
    const first = covered[0];
    const last = covered.at(-1);
    const left = first !== undefined && first.start < start ? [named(first.start, start, `${name} left`)] : [];
    const right = last !== undefined && last.end > end ? [named(end, last.end, `${name} right`)] : [];
    return [...left, ...between(making, start, end, name), ...right];
  };
}

function between(making: Making, start: number, end: number, name: string): readonly NamedRange[] {
  if (start === end || making === "nothing") return [];
  if (making === "one") return [named(start, end, name)];
  return Array.from({ length: end - start }, (_, at) => named(start + at, start + at + 1, `${name} ${at}`));
}

describe("SortedRanges", () => {
  it("has nothing in it at first", () => {
    const ranges = new SortedRanges<NamedRange>();
    expect([ranges.count, ranges.all(), ranges.within(0, Infinity)]).toEqual([0, [], []]);
    expect(ranges.overlaps(0, Infinity)).toBe(false);
  });

  it("finds what overlaps, and not what only touches", () => {
    const { ranges } = filled(3);
    expect(ranges.within(2, 5)).toEqual([named(0, 3), named(4, 7)]);
    expect(ranges.within(3, 4)).toEqual([]);
    expect([ranges.overlaps(3, 4), ranges.overlaps(3, 5), ranges.overlaps(2, 4)]).toEqual([false, true, true]);
    expect([ranges.overlaps(11, 100), ranges.overlaps(10, 100)]).toEqual([false, true]);
  });

  it("finds nothing in an empty range, not even in the middle of one that is there", () => {
    const { ranges } = filled(1);
    expect([ranges.overlaps(1, 1), ranges.within(1, 1)]).toEqual([false, []]);
    ranges.replace(1, 1, (covered) => {
      expect(covered).toEqual([]);
      return [];
    });
    expect(ranges.all()).toEqual([named(0, 3)]);
  });

  it("inserts what overlaps nothing, and leaves all as it is when it does", () => {
    const range = fc.tuple(fc.nat(3000), fc.integer({ min: 1, max: 4 }));
    fc.assert(
      fc.property(fc.array(range, { minLength: 1, maxLength: 1000 }), (asked) => {
        const ranges = new SortedRanges<NamedRange>();
        const naive = new NaiveRanges(3100);
        for (const [start, length] of asked) {
          const one = named(start, start + length);
          const isFree = naive.within(start, start + length).length === 0;
          expect(ranges.insert(one)).toBe(isFree);
          if (isFree) naive.replace(start, start + length, () => [one]);
        }
        expect(ranges.all()).toEqual(naive.all());
        expect(ranges.count).toBe(naive.all().length);
      }),
      { numRuns: 20 },
    );
  }, 30_000);

  it("returns what was there then, whatever becomes of it later", () => {
    const { ranges } = filled(3);
    const [all, within] = [ranges.all(), ranges.within(0, 5)];
    ranges.filter(() => false);
    ranges.replace(0, 1, () => [named(0, 1)]);
    expect([all.length, within.length, ranges.count]).toEqual([3, 2, 1]);
  });

  it("keeps the order of thousands that come in any order", () => {
    const ranges = new SortedRanges<NamedRange>();
    // 4099 is prime: the steps reach every place once.
    for (let index = 0; index < 4099; index += 1) {
      const start = (index * 1000) % 4099;
      ranges.replace(start, start + 1, () => [named(start, start + 1)]);
    }
    expect(ranges.all()).toEqual(Array.from({ length: 4099 }, (_, start) => named(start, start + 1)));
    expect([ranges.count, ranges.within(1000, 3000).length]).toEqual([4099, 2000]);
  });

  it("takes out a run of thousands, and leaves its neighbours", () => {
    const { ranges } = filled(4000);
    ranges.replace(401, 15_601, () => [named(401, 15_601)]);
    expect(ranges.count).toBe(200);
    expect(ranges.within(396, 15_605)).toEqual([named(396, 399), named(401, 15_601), named(15_604, 15_607)]);
    ranges.replace(0, Infinity, () => []);
    expect([ranges.count, ranges.all(), ranges.overlaps(0, Infinity)]).toEqual([0, [], false]);
    ranges.replace(5, 6, () => [named(5, 6)]);
    expect(ranges.all()).toEqual([named(5, 6)]);
  });

  it("finds what is left, wherever a run of two hundred was", () => {
    // Whichever of its inner boundaries the run begins, crosses or ends at.
    for (let first = 0; first < 200; first += 1) {
      const { ranges } = filled(700);
      ranges.replace(4 * first, 4 * first + 800, () => []);
      expect([ranges.count, ranges.overlaps(4 * first, 4 * first + 800)]).toEqual([500, false]);
      for (let index = 0; index < 700; index += 1) {
        const isGone = index >= first && index < first + 200;
        if (ranges.overlaps(4 * index, 4 * index + 1) === isGone) expect.fail(`${index} after a run from ${first}`);
        // Not what ends there, but what begins behind it.
        const next = index + 1 < 700 && (index + 1 < first || index + 1 >= first + 200);
        if (ranges.overlaps(4 * index + 3, 4 * index + 5) !== next) expect.fail(`${index} before a run from ${first}`);
      }
      expect(ranges.within(2796, 3000)).toEqual([named(2796, 2799)]);
    }
  });

  it("puts thousands in the place of one", () => {
    const ranges = new SortedRanges<NamedRange>();
    for (const one of [named(0, 1), named(1, 3001), named(3001, 3002)]) ranges.replace(one.start, one.end, () => [one]);
    ranges.replace(1, 3001, () => Array.from({ length: 3000 }, (_, at) => named(at + 1, at + 2)));
    expect(ranges.all()).toEqual(Array.from({ length: 3002 }, (_, start) => named(start, start + 1)));
    expect([ranges.count, ranges.within(1000, 3000).length]).toEqual([3002, 2000]);
    expect(ranges.within(2000, 2001)).toEqual([named(2000, 2001)]);
  });

  it("keeps what is wanted", () => {
    const { ranges } = filled(1000);
    ranges.filter(({ start }) => start % 400 === 0);
    expect([ranges.count, ranges.within(0, 401)]).toEqual([10, [named(0, 3), named(400, 403)]]);
  });
});

describe("SortedRanges, whatever happens,", () => {
  const step = fc.record({
    // Where, in thousandths of what there is, and how long.
    at: fc.nat(1000),
    length: fc.oneof(
      { weight: 4, arbitrary: fc.nat(12) },
      { weight: 1, arbitrary: fc.nat(400) },
      { weight: 1, arbitrary: fc.nat(20_000) },
    ),
    making: fc.constantFrom(...makings),
    /** Of all that there is, this one of so many is dropped. */
    dropped: fc.option(fc.record({ which: fc.nat(2), of: fc.integer({ min: 2, max: 3 }) }), { freq: 8 }),
  });

  it.each([
    ["few ranges", 4, 200],
    ["some chunks", 400, 40],
    ["many chunks", 3000, 20],
  ])("agree with a naive list: %s", (_, count, numRuns) => {
    const steps = fc.array(step, { maxLength: 30 });
    fc.assert(
      fc.property(steps, (history) => {
        const { ranges, naive } = filled(count);
        const sizeBytes = 4 * count + 100;
        for (const [index, { at, length, making, dropped }] of history.entries()) {
          const start = Math.floor((at * (sizeBytes - 1)) / 1000);
          const end = Math.min(start + length, sizeBytes);
          expect(ranges.within(start, end)).toEqual(naive.within(start, end));
          expect(ranges.overlaps(start, end)).toBe(naive.overlaps(start, end));
          const make = makingOf(making, start, end, `step ${index}`);
          ranges.replace(start, end, make);
          naive.replace(start, end, make);
          if (dropped !== null) {
            const wanted = (one: NamedRange): boolean => one.start % dropped.of !== dropped.which;
            ranges.filter(wanted);
            naive.filter(wanted);
          }
          expect(ranges.count).toBe(naive.count);
        }
        expect(ranges.all()).toEqual(naive.all());
      }),
      { numRuns },
    );
  });
});
