import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { escapeText } from "../../../src/protocol/escape-bytes.ts";

describe("escapeText", () => {
  it.each([
    ["plain text, größer: 100 € 💾", "plain text, größer: 100 € 💾"],
    ["", ""],
    ["a\nb\r\tc", "a\\nb\\r\\tc"],
    ['"\\n"', '\\"\\\\n\\"'],
    ["\u001b[31mred\u0007\u0000\u007f\u009b", "\\u{1b}[31mred\\u{7}\\u{0}\\u{7f}\\u{9b}"],
    ["\u2028\u2029\u00a0", "\\u{2028}\\u{2029}\\u{a0}"],
    ["\u202egnp.exe\u200b\ufeff", "\\u{202e}gnp.exe\\u{200b}\\u{feff}"],
    ["\ud83d", "\\u{d83d}"],
    ["\u{e0001}\ue000", "\\u{e0001}\\u{e000}"],
  ])("makes %j safe", (text, expected) => {
    expect(escapeText(text)).toBe(expected);
  });

  it("cuts off what is too long, never inside an escape or a pair of surrogates", () => {
    expect(escapeText("abcd", 4)).toBe("abcd");
    expect(escapeText("abcde", 4)).toBe("abc…");
    expect(escapeText("ab\u001bcd", 6)).toBe("ab…");
    expect(escapeText("a💾💾", 4)).toBe("a💾…");
    expect(escapeText("x".repeat(1_000_000))).toBe(`${"x".repeat(199)}…`);
  });

  it("returns one printable line within the limit, whatever it is given", () => {
    const wild = fc.string({ unit: "binary", maxLength: 50 });
    fc.assert(
      fc.property(wild, fc.integer({ min: 1, max: 80 }), (text, limit) => {
        const escaped = escapeText(text, limit);
        expect(escaped.length).toBeLessThanOrEqual(limit);
        expect(escaped).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u);
      }),
    );
  });

  it("keeps different short texts different", () => {
    const wild = fc.string({
      unit: fc.constantFrom("\\", '"', "n", "\n", "u", "{", "1", "b", "}", "\u001b"),
      maxLength: 8,
    });
    fc.assert(
      fc.property(wild, wild, (one, other) => {
        fc.pre(one !== other);
        expect(escapeText(one)).not.toBe(escapeText(other));
      }),
    );
  });
});
