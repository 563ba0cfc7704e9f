import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { type Pin, PinnedRanges } from "../../../src/durability/pinned-ranges.ts";

const SIZE = 48;

/** For every byte, until when it is pinned; 0: it is not. */
type NaivePins = readonly number[];

/** The same of pins, which must be in order and apart. */
function bytesOf(pins: readonly Pin[]): NaivePins {
  const bytes = Array.from({ length: SIZE }, () => 0);
  let at = 0;
  for (const { start, end, untilMs } of pins) {
    expect(start).toBeGreaterThanOrEqual(at);
    expect(end).toBeGreaterThan(start);
    bytes.fill(untilMs, start, end);
    at = end;
  }
  return bytes;
}

function pinned(bytes: NaivePins): NaivePins {
  return bytes.filter((untilMs) => untilMs > 0);
}

/** Everything that can be asked about pins, against the naive ones. */
function expectSame(pins: PinnedRanges, bytes: NaivePins, start: number, end: number, nowMs: number): void {
  expect(bytesOf(pins.ended(Infinity))).toEqual(bytes);
  expect(pins.bytes).toBe(pinned(bytes).length);
  expect(pins.count).toBe(pins.ended(Infinity).length);
  expect(pins.nextEndMs).toBe(pins.count === 0 ? undefined : Math.min(...pinned(bytes)));
  expect(bytesOf(pins.ended(nowMs))).toEqual(bytes.map((untilMs) => (untilMs <= nowMs ? untilMs : 0)));
  expect(pins.overlaps(start, end)).toBe(pinned(bytes.slice(start, end)).length > 0);
  expect(bytesOf(pins.within(start, end))).toEqual(bytes.map((untilMs, at) => (at >= start && at < end ? untilMs : 0)));
}

describe("PinnedRanges", () => {
  it("has no pins at first", () => {
    expectSame(new PinnedRanges(), bytesOf([]), 0, SIZE, Infinity);
  });

  it("pins a range until its time has come and it is lifted", () => {
    const pins = new PinnedRanges();
    pins.pin(10, 20, 500);
    expect([pins.bytes, pins.count, pins.nextEndMs]).toEqual([10, 1, 500]);
    expect([pins.overlaps(0, 10), pins.overlaps(19, 20), pins.overlaps(20, 30)]).toEqual([false, true, false]);
    expect(pins.ended(499)).toEqual([]);
    const ended = pins.ended(500);
    expect(ended).toEqual([{ start: 10, end: 20, untilMs: 500 }]);
    expect(pins.overlaps(10, 20)).toBe(true);
    pins.lift(ended, 500);
    expectSame(pins, bytesOf([]), 0, SIZE, Infinity);
  });

  it("pins nothing when the range is empty, and no empty range is pinned", () => {
    const pins = new PinnedRanges();
    pins.pin(10, 10, 500);
    expect([pins.count, pins.nextEndMs]).toEqual([0, undefined]);
    pins.pin(0, 20, 500);
    expect(pins.overlaps(10, 10)).toBe(false);
  });

  it("shows of a range what is pinned of it, and nothing beyond", () => {
    const pins = new PinnedRanges();
    pins.pin(0, 20, 500);
    pins.pin(30, 50, 900);
    expect(pins.within(15, 35)).toEqual([
      { start: 15, end: 20, untilMs: 500 },
      { start: 30, end: 35, untilMs: 900 },
    ]);
    expect([pins.within(20, 30), pins.within(10, 10), pins.bytes]).toEqual([[], [], 40]);
  });

  it("keeps the later of two ends, whichever came first", () => {
    for (const order of [
      [500, 900],
      [900, 500],
    ] as const) {
      const pins = new PinnedRanges();
      for (const untilMs of order) pins.pin(10, 20, untilMs);
      expect(pins.ended(Infinity)).toEqual([{ start: 10, end: 20, untilMs: 900 }]);
    }
  });

  it("renews only the part that is pinned again", () => {
    const pins = new PinnedRanges();
    pins.pin(10, 40, 500);
    pins.pin(20, 30, 900);
    expect(pins.ended(Infinity)).toEqual([
      { start: 10, end: 20, untilMs: 500 },
      { start: 20, end: 30, untilMs: 900 },
      { start: 30, end: 40, untilMs: 500 },
    ]);
    expect(pins.nextEndMs).toBe(500);
    pins.lift(pins.ended(500), 500);
    expect(pins.ended(Infinity)).toEqual([{ start: 20, end: 30, untilMs: 900 }]);
  });

  it("is one pin where later ones end together", () => {
    const pins = new PinnedRanges();
    for (const start of [0, 12, 24]) pins.pin(start, start + 6, 500);
    pins.pin(3, 40, 900);
    expect(pins.ended(Infinity)).toEqual([
      { start: 0, end: 3, untilMs: 500 },
      { start: 3, end: 40, untilMs: 900 },
    ]);
  });

  it("does not lift what was pinned again meanwhile", () => {
    const pins = new PinnedRanges();
    pins.pin(0, 30, 500);
    const ended = pins.ended(500);
    pins.pin(10, 20, 900);
    pins.lift(ended, 500);
    expect(pins.ended(Infinity)).toEqual([{ start: 10, end: 20, untilMs: 900 }]);
  });

  it("lifts no more of a pin than the range that was asked for", () => {
    const pins = new PinnedRanges();
    pins.pin(0, 30, 500);
    pins.lift([{ start: 10, end: 20 }], 500);
    expect(bytesOf(pins.ended(500))).toEqual(bytesOf([0, 20].map((at) => ({ start: at, end: at + 10, untilMs: 500 }))));
  });

  it("forgets all pins", () => {
    const pins = new PinnedRanges();
    for (let index = 0; index < 1000; index += 1) pins.pin(2 * index, 2 * index + 1, index + 1);
    expect([pins.count, pins.bytes, pins.nextEndMs]).toEqual([1000, 1000, 1]);
    pins.lift([{ start: 0, end: Infinity }], Infinity);
    expect([pins.count, pins.bytes, pins.nextEndMs]).toEqual([0, 0, undefined]);
    expect(pins.overlaps(0, Infinity)).toBe(false);
  });

  const range = fc.record({ start: fc.nat(SIZE - 1), length: fc.nat(20) });
  const timeMs = fc.integer({ min: 1, max: 12 });
  const step = fc.oneof(
    { weight: 4, arbitrary: fc.record({ kind: fc.constant("pin"), range, timeMs }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("lift"), range, timeMs }) },
    // As it is done: first those that have ended are asked for, and some steps later they are lifted.
    { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom("ask", "lift asked"), range, timeMs }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("clear"), range, timeMs }) },
  );

  it("agrees with a time for every byte about any history", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const pins = new PinnedRanges();
        let bytes = bytesOf([]);
        let asked: { ranges: readonly Pin[]; byMs: number } = { ranges: [], byMs: 0 };
        const liftBytes = (start: number, end: number, byMs: number): void => {
          bytes = bytes.map((untilMs, at) => (at >= start && at < end && untilMs <= byMs ? 0 : untilMs));
        };
        for (const one of steps) {
          const { start } = one.range;
          const end = Math.min(SIZE, start + one.range.length);
          if (one.kind === "pin") {
            pins.pin(start, end, one.timeMs);
            bytes = bytes.map((untilMs, at) => (at >= start && at < end ? Math.max(untilMs, one.timeMs) : untilMs));
          } else if (one.kind === "lift") {
            pins.lift([{ start, end }], one.timeMs);
            liftBytes(start, end, one.timeMs);
          } else if (one.kind === "ask") asked = { ranges: pins.ended(one.timeMs), byMs: one.timeMs };
          else if (one.kind === "lift asked") {
            pins.lift(asked.ranges, asked.byMs);
            for (const ended of asked.ranges) liftBytes(ended.start, ended.end, asked.byMs);
          } else {
            pins.lift([{ start: 0, end: Infinity }], Infinity);
            bytes = bytesOf([]);
          }
          expectSame(pins, bytes, start, end, one.timeMs);
        }
      }),
      { numRuns: 300 },
    );
  });
});
