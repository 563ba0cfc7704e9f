import fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { Piece } from "../../../src/disk.ts";
import { COMMAND } from "../../../src/protocol/constants.ts";
import { Slab } from "../../../src/transport/slab.ts";
import { Slice } from "../../../src/transport/slice.ts";
import { overlay } from "../../../src/upstream/overlay.ts";
import { fragment } from "./kept.ts";

const { TRIM, WRITE_ZEROES } = COMMAND;

function data(text: string, headroomBytes = 0): Piece {
  const slab = new Slab(Buffer.from("-".repeat(headroomBytes) + text, "latin1"));
  return { kind: "data", slice: new Slice(slab, headroomBytes, headroomBytes + text.length, headroomBytes) };
}

/** What pieces say, with a dot for every byte of a hole. */
function textOf(pieces: readonly Piece[]): string {
  return pieces
    .map((piece) => (piece.kind === "hole" ? ".".repeat(piece.lengthBytes) : piece.slice.bytes().toString("latin1")))
    .join("");
}

describe("overlay", () => {
  it("leaves a reply as it is where nothing lies over it", () => {
    const pieces = [data("abc", 16), { kind: "hole", lengthBytes: 2 } as const];
    expect(overlay(pieces, 100, [])).toEqual(pieces);
    expect(overlay(pieces, 100, [])[0]).toBe(pieces[0]);
  });

  it.each([
    ["the beginning", fragment(8, "XXXX"), "XXcdefgh"],
    ["the middle", fragment(13, "XX"), "abcXXfgh"],
    ["the end", fragment(16, "XXXX"), "abcdefXX"],
    ["everything", fragment(8, "WWXXXXXXXXYY"), "XXXXXXXX"],
    ["a part that reads as zeros", fragment(11, { command: WRITE_ZEROES, length: 3 }), "a...efgh"],
    ["a part that is not defined", fragment(11, { command: TRIM, length: 3 }), "abcdefgh"],
    ["a part of a content", { ...fragment(9, "uvwxyz"), start: 12, end: 14, contentStart: 3 }, "abxyefgh"],
  ])("lays over %s", (_where, above, expected) => {
    expect(textOf(overlay([data("abc"), data("defgh")], 10, [above]))).toBe(expected);
  });

  it("lays over holes, and cuts them", () => {
    const pieces = overlay([{ kind: "hole", lengthBytes: 6 }], 0, [fragment(2, "XY")]);
    expect(textOf(pieces)).toBe("..XY..");
    expect(pieces.filter(({ kind }) => kind === "hole")).toEqual([
      { kind: "hole", lengthBytes: 2 },
      { kind: "hole", lengthBytes: 2 },
    ]);
  });

  it("leaves room for a header only in front of the first byte of a piece", () => {
    const pieces = overlay([data("abcdef", 16)], 0, [fragment(2, "XY")]);
    expect(pieces.map((piece) => (piece.kind === "data" ? piece.slice.headroomBytes : 0))).toEqual([16, 0, 0]);
  });

  it("begins chunks anew where something else stands before what went on, and nowhere else", () => {
    const goesOn = (text: string): Piece => ({ ...data(text), continues: true }) as Piece;
    const pieces = [data("abc", 28), goesOn("def"), goesOn("ghi"), { kind: "hole", lengthBytes: 3 } as const];
    const shape = (above: Parameters<typeof overlay>[2]): string =>
      overlay(pieces, 0, above)
        .map((piece) => (piece.kind === "hole" ? "." : (piece.continues === true ? "+" : "|") + textOf([piece])))
        .join("");
    expect(shape([])).toBe("|abc+def+ghi.");
    expect(shape([fragment(1, "X")])).toBe("|a|X|c+def+ghi.");
    expect(shape([fragment(0, "XXX")])).toBe("|XX+X|def+ghi.");
    expect(shape([fragment(0, { command: WRITE_ZEROES, length: 3 })])).toBe(".|def+ghi.");
    expect(shape([fragment(4, "XX")])).toBe("|abc+d|XX|ghi.");
    expect(shape([fragment(5, { command: WRITE_ZEROES, length: 2 })])).toBe("|abc+de.|hi.");
    expect(shape([fragment(5, { command: TRIM, length: 2 })])).toBe("|abc+def+ghi.");
  });

  it("is, for any pieces and any fragments, what a plain buffer makes of them", () => {
    const aPiece = fc.record({ hole: fc.boolean(), length: fc.integer({ min: 1, max: 9 }) });
    const anAbove = fc.record({
      gap: fc.nat(5),
      length: fc.integer({ min: 1, max: 9 }),
      command: fc.constantFrom(COMMAND.WRITE, COMMAND.WRITE, WRITE_ZEROES, TRIM),
      skip: fc.nat(4),
    });
    fc.assert(
      fc.property(
        fc.array(aPiece, { minLength: 1, maxLength: 6 }),
        fc.nat(10),
        fc.array(anAbove, { maxLength: 6 }),
        (made, before, above) => {
          const pieces = made.map(({ hole, length }, index) =>
            hole ? ({ kind: "hole", lengthBytes: length } as const) : data(String(index).repeat(length)),
          );
          const offset = 10;
          const expected = textOf(pieces).split("");
          const end = offset + expected.length;
          let at = offset - before;
          const fragments = above.flatMap(({ gap, length, command, skip }, index) => {
            at += gap;
            const letters = String.fromCodePoint(
              ...Array.from({ length: skip + length }, (_, place) => 65 + index + place),
            );
            const whole = command === COMMAND.WRITE ? fragment(at, letters) : fragment(at, { command, length });
            const one = { ...whole, end: at + length, contentStart: command === COMMAND.WRITE ? skip : 0 };
            at += length;
            if (one.end <= offset || one.start >= end) return [];
            for (let place = Math.max(offset, one.start); place < Math.min(end, one.end); place += 1) {
              if (command === WRITE_ZEROES) expected[place - offset] = ".";
              if (command === COMMAND.WRITE) expected[place - offset] = letters[skip + place - one.start] ?? "?";
            }
            return [one];
          });
          expect(textOf(overlay(pieces, offset, fragments))).toBe(expected.join(""));
        },
      ),
      { numRuns: 1000 },
    );
  });
});
