import { describe, expect, it } from "vitest";
import { BROKEN, INITIAL, ZEROS } from "./block-content.ts";
import { brokenWord } from "./kept-word.ts";
import type { Operation } from "./operation-history.ts";

let numbers = 0;

function asked(what: Partial<Operation> & Pick<Operation, "start" | "end">): Operation {
  numbers += 1;
  return {
    number: numbers,
    client: "A",
    kind: "write",
    block: 0,
    blocks: 1,
    value: ZEROS,
    fua: false,
    startMs: 0,
    endMs: 0,
    error: 0,
    results: [],
    promised: false,
    ...what,
  };
}

const verdict = (all: readonly Operation[], value: number, flushedBefore: number, tears = false) =>
  brokenWord(all, { block: 0, value, flushedBefore, tears });

describe("stable storage", () => {
  const first = asked({ value: 2, start: 1, end: 2 });
  const second = asked({ value: 3, start: 3, end: 5 });

  it("may lose what was not flushed", () => {
    expect(verdict([first, second], INITIAL, 0)).toBeUndefined();
    expect(verdict([first, second], INITIAL, 2)).toBeUndefined();
  });

  it("keeps what was acknowledged before a FLUSH, or something newer", () => {
    expect(verdict([first, second], INITIAL, 3)).toContain("instead of 2");
    expect(verdict([first, second], 2, 3)).toBeUndefined();
    expect(verdict([first, second], 3, 3)).toBeUndefined();
    expect(verdict([first, second], 2, 6)).toContain("instead of 3");
  });

  it("keeps what was acknowledged with FUA", () => {
    const durable = asked({ value: 4, start: 6, end: 7, fua: true });
    expect(verdict([first, second, durable], 3, 0)).toContain("with FUA");
    expect(verdict([first, second, durable], 4, 0)).toBeUndefined();
  });

  it("may hold either of two writes that overlapped in time", () => {
    const beside = asked({ value: 4, start: 4, end: 6 });
    expect(verdict([first, second, beside], 3, 9)).toBeUndefined();
    expect(verdict([first, second, beside], 4, 9)).toBeUndefined();
    expect(verdict([first, second, beside], 2, 9)).toBeDefined();
  });

  it("may hold a write that failed, unless that was over before the acknowledged one began", () => {
    const early = asked({ value: 4, start: 1, end: 2, error: 5 });
    const late = asked({ value: 5, start: 6, end: 7, error: 5 });
    const lost = asked({ value: 6, start: 8, end: Infinity });
    expect(verdict([early, second, late, lost], 4, 9)).toContain("instead of 3");
    expect(verdict([early, second, late, lost], 5, 9)).toBeUndefined();
    expect(verdict([early, second, late, lost], 6, 9)).toBeUndefined();
  });

  it("owes nothing after a TRIM, until the next write", () => {
    const trim = asked({ kind: "trim", start: 6, end: 7 });
    const next = asked({ value: 4, start: 8, end: 9 });
    expect(verdict([first, second, trim], INITIAL, 20)).toBeUndefined();
    expect(verdict([first, second, trim, next], INITIAL, 20)).toContain("instead of 4");
  });

  it("may be torn only by what is newer, and where blocks can be torn", () => {
    const newer = asked({ value: 4, start: 6, end: Infinity });
    expect(verdict([first, newer], BROKEN, 20, true)).toBeUndefined();
    expect(verdict([first, newer], BROKEN, 20, false)).toContain("nobody wrote");
    expect(verdict([first], BROKEN, 20, true)).toContain("nobody wrote");
  });

  it("tells of the blocks that an operation is about", () => {
    const elsewhere = asked({ value: 4, block: 1, blocks: 3, start: 1, end: 2 });
    expect(verdict([elsewhere], INITIAL, 20)).toBeUndefined();
    expect(brokenWord([elsewhere], { block: 3, value: INITIAL, flushedBefore: 20, tears: false })).toBeDefined();
  });
});
