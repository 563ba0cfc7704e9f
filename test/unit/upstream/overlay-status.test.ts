import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { LIMITS } from "../../../src/limits.ts";
import { COMMAND, COMMAND_FLAG } from "../../../src/protocol/constants.ts";
import { overlayStatus, type StatusFragment, toldBytes } from "../../../src/upstream/overlay-status.ts";

const { TRIM, WRITE, WRITE_ZEROES } = COMMAND;
const request = (length: number, flags = 0, offset = 100) => ({ flags, offset, length });
const written = (start: number, end: number, command: number = WRITE): StatusFragment => ({ start, end, command });

/** Extents with fragments over them, for a request at 100. */
function overlaid(length: number, extents: readonly number[], fragments: StatusFragment[], flags = 0): number[] {
  return [...overlayStatus(Uint32Array.from(extents), request(length, flags), fragments)];
}

describe("overlayStatus", () => {
  it.each<readonly [string, StatusFragment[], number[]]>([
    ["the beginning", [written(90, 105)], [5, 0, 15, 3, 10, 0]],
    ["the middle", [written(105, 110)], [5, 3, 5, 0, 10, 3, 10, 0]],
    ["the end of an extent", [written(115, 120)], [15, 3, 15, 0]],
    ["the border of two", [written(115, 125)], [15, 3, 15, 0]],
    ["everything", [written(0, 1000)], [30, 0]],
    ["two parts", [written(101, 102), written(103, 104)], [1, 3, 1, 0, 1, 3, 1, 0, 16, 3, 10, 0]],
    ["neighbours", [written(101, 102), written(102, 104)], [1, 3, 3, 0, 16, 3, 10, 0]],
    ["what is told behind the request", [written(125, 127)], [20, 3, 10, 0]],
  ])("makes data of %s", (_where, fragments, expected) => {
    expect(overlaid(30, [20, 3, 10, 0], fragments)).toEqual(expected);
  });

  it.each([
    ["zeros that were written", WRITE_ZEROES],
    ["what a TRIM has left", TRIM],
  ])("has the server's word for %s", (_what, command) => {
    expect(overlaid(40, [10, 3, 10, 2, 10, 1, 10, 0], [written(100, 140, command)])).toEqual([
      10, 3, 10, 2, 10, 1, 10, 0,
    ]);
  });

  it("does not take back what an extent that overruns the request told behind it", () => {
    expect(overlaid(10, [50, 3], [written(120, 125)])).toEqual([20, 3]);
    expect(overlaid(10, [50, 3], [written(105, 125)])).toEqual([5, 3, 20, 0]);
    expect(overlaid(10, [50, 3], [written(100, 125)])).toEqual([25, 0]);
  });

  it("leaves one extent for REQ_ONE, inside of the request", () => {
    const { REQ_ONE } = COMMAND_FLAG;
    expect(overlaid(30, [30, 3], [written(105, 110)], REQ_ONE)).toEqual([5, 3]);
    expect(overlaid(30, [30, 3], [written(100, 110)], REQ_ONE)).toEqual([10, 0]);
    expect(overlaid(30, [30, 3], [written(100, 200)], REQ_ONE)).toEqual([30, 0]);
  });

  it("never joins extents to one that is longer than a length can say", () => {
    const most = 0xffff_ffff;
    const extents = Uint32Array.of(most - 1, 3, 2, 0, most, 0);
    const told = overlayStatus(extents, request(2 ** 40), [written(100, 100 + most)]);
    expect([[...told], toldBytes(told)]).toEqual([[most, 0, 1, 0, most, 0], 2 * most + 1]);
  });

  it("never has more extents than are allowed", () => {
    const fragments = Array.from({ length: LIMITS.statusExtents }, (_, index) =>
      written(100 + 2 * index, 101 + 2 * index),
    );
    const told = overlaid(1_000_000, [1_000_000, 3], fragments);
    expect(told).toHaveLength(2 * LIMITS.statusExtents);
    expect(told.slice(0, 4)).toEqual([1, 0, 1, 3]);
  });

  it("is, for any extents and fragments, what every single byte makes of them", () => {
    const anExtent = fc.tuple(fc.integer({ min: 1, max: 9 }), fc.nat(3));
    const aFragment = fc.tuple(
      fc.nat(4),
      fc.integer({ min: 1, max: 6 }),
      fc.constantFrom(WRITE, WRITE, WRITE_ZEROES, TRIM),
    );
    const inputs = [
      fc.array(anExtent, { minLength: 1, maxLength: 8 }),
      fc.array(aFragment, { maxLength: 8 }),
      fc.integer({ min: 1, max: 40 }),
      fc.boolean(),
    ] as const;
    fc.assert(
      fc.property(...inputs, (extents, gaps, length, one) => {
        let at = 95;
        const fragments = gaps.map(([gap, bytes, command]) => {
          const start = at + gap;
          at = start + bytes;
          return written(start, at, command);
        });
        const flags = one ? COMMAND_FLAG.REQ_ONE : 0;
        const told = overlaid(length, extents.flat(), fragments, flags);
        const bytes = extents.flatMap(([count, meaning]) => Array.from({ length: count }, () => meaning));
        const expected = bytes.map((meaning, index) => {
          const above = fragments.find(({ start, end }) => start <= 100 + index && 100 + index < end);
          return above === undefined || above.command !== WRITE ? meaning : 0;
        });
        const got: number[] = [];
        for (let pair = 0; pair < told.length; pair += 2) {
          // No two neighbours with the same flags.
          if (pair > 0) expect(told[pair + 1]).not.toBe(told[pair - 1]);
          // Nothing behind the one that reaches the end.
          expect(got.length).toBeLessThan(length);
          got.push(...Array.from({ length: told[pair] ?? 0 }, () => told[pair + 1] ?? -1));
        }
        expect(got).toEqual(expected.slice(0, got.length));
        const first = expected.findIndex((meaning) => meaning !== expected[0]);
        const firstBytes = first === -1 ? expected.length : first;
        if (one) expect([told.length, got.length]).toEqual([2, Math.min(length, firstBytes)]);
        else expect(got.length).toBeGreaterThanOrEqual(Math.min(length, expected.length));
      }),
      { numRuns: 2000 },
    );
  });
});
