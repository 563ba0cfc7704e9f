import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { Slab } from "../../../src/transport/slab.ts";
import { SlabPool } from "../../../src/transport/slab-pool.ts";
import { Slice } from "../../../src/transport/slice.ts";
import { type KeptContent, LogMemory } from "../../../src/upstream/log-memory.ts";
import { textOf } from "./kept.ts";

const SLAB_BYTES = 128;

function setUp() {
  const pool = new SlabPool({ slabBytes: SLAB_BYTES, idleSlabs: 4, poison: true });
  return { pool, memory: new LogMemory(pool) };
}

/** A payload of this text in a slab of a pool, which whoever asked for the write lets go. */
function payload(pool: SlabPool, text: string, start = 28): Slice {
  const slab = pool.take();
  slab.buffer.write(text, start, "latin1");
  return new Slice(slab, start, start + text.length, start);
}

/** What a content has from there to there. */
function part(content: KeptContent, start: number, end: number): string {
  const slices: Slice[] = [];
  content.appendTo(slices, start, end);
  return textOf(slices);
}

describe("LogMemory.keep", () => {
  it("keeps a payload where it is, as long as a fragment needs it", () => {
    const { pool, memory } = setUp();
    const slab = pool.take();
    slab.buffer.write("beginning and end", 40, "latin1");
    const content = memory.keep([new Slice(slab, 40, 49, 28), new Slice(slab, 53, 57, 0)]);
    content.retain();
    content.retain();
    slab.release();
    const kept: Slice[] = [];
    content.appendTo(kept, 0, 13);
    // What was before it in its slab is not part of it.
    expect(
      kept.map(({ slab: where, start, end, headroomBytes }) => [where === slab, start, end, headroomBytes]),
    ).toEqual([
      [true, 40, 49, 0],
      [true, 53, 57, 0],
    ]);
    expect(part(content, 0, 13)).toBe("beginning end");
    expect([memory.heldBytes, memory.countBytes(), pool.heldBytes]).toEqual([SLAB_BYTES, SLAB_BYTES, SLAB_BYTES]);
    content.release();
    expect(pool.heldBytes).toBe(SLAB_BYTES);
    content.release();
    expect([memory.heldBytes, pool.heldBytes, slab.references]).toEqual([0, 0, 0]);
  });

  it("counts slabs of any size, once each, however many payloads lie in them", () => {
    const { memory } = setUp();
    const slab = new Slab(Buffer.alloc(10_000));
    const contents = [0, 1, 2].map((index) => memory.keep([new Slice(slab, index * 100, index * 100 + 50, 0)]));
    for (const content of contents) content.retain();
    expect([memory.heldBytes, memory.countBytes()]).toEqual([10_000, 10_000]);
    contents[1]?.release();
    contents[0]?.release();
    expect(memory.heldBytes).toBe(10_000);
    contents[2]?.release();
    expect([memory.heldBytes, slab.references]).toEqual([0, 1]);
  });

  it("has the parts of a content that are asked for, across its slices", () => {
    const { memory } = setUp();
    const slices = ["abc", "d", "efgh"].map((text) => new Slice(new Slab(Buffer.from(text)), 0, text.length, 0));
    const content = memory.keep(slices);
    expect([part(content, 0, 8), part(content, 2, 5), part(content, 7, 8), part(content, 4, 4)]).toEqual([
      "abcdefgh",
      "cde",
      "h",
      "",
    ]);
  });

  it("asserts that there is something to keep", () => {
    expect(() => setUp().memory.keep([])).toThrow("kept a payload without bytes");
  });
});

describe("LogMemory.copy", () => {
  it("copies payloads together, so that the slabs in which they came go home", () => {
    const { pool, memory } = setUp();
    const contents = ["first", "second", "third"].map((text) => {
      const slice = payload(pool, text);
      const half = slice.start + 2;
      const content = memory.copy(
        [new Slice(slice.slab, slice.start, half, 0), new Slice(slice.slab, half, slice.end, 0)],
        text.length,
      );
      content.retain();
      slice.slab.release();
      return content;
    });
    expect([memory.heldBytes, pool.heldBytes]).toEqual([SLAB_BYTES, SLAB_BYTES]);
    expect(contents.map((content) => part(content, 0, 100))).toEqual(["first", "second", "third"]);
    for (const content of contents) content.release();
    expect([memory.heldBytes, pool.heldBytes]).toEqual([0, 0]);
  });

  it("takes another slab for what does not fit", () => {
    const { pool, memory } = setUp();
    const slice = payload(pool, "x".repeat(50));
    const contents = [1, 2, 3].map(() => memory.copy([slice], 50));
    for (const content of contents) content.retain();
    slice.slab.release();
    expect([memory.heldBytes, memory.countBytes(), pool.heldBytes]).toEqual([256, 256, 256]);
    contents[0]?.release();
    expect(memory.heldBytes).toBe(256);
    contents[1]?.release();
    expect([memory.heldBytes, memory.countBytes(), pool.heldBytes]).toEqual([128, 128, 128]);
    expect(part(contents[2] as KeptContent, 0, 50)).toBe("x".repeat(50));
    contents[2]?.release();
    expect([memory.heldBytes, pool.heldBytes]).toEqual([0, 0]);
  });

  it("goes on filling a slab as long as something in it is needed, and begins another one after that", () => {
    const { pool, memory } = setUp();
    const slice = payload(pool, "y".repeat(20));
    const first = memory.copy([slice], 20);
    first.retain();
    const second = memory.copy([slice], 20);
    second.retain();
    first.release();
    expect(part(second, 0, 20)).toBe("y".repeat(20));
    second.release();
    const third = memory.copy([slice], 20);
    third.retain();
    expect([memory.heldBytes, part(third, 0, 20)]).toEqual([SLAB_BYTES, "y".repeat(20)]);
  });
});

describe("LogMemory, whatever happens", () => {
  it("holds what is needed, and in the end nothing", () => {
    const aStep = fc.oneof(
      fc.record({ keep: fc.integer({ min: 1, max: SLAB_BYTES - 28 }), copied: fc.boolean() }),
      fc.record({ letGo: fc.nat() }),
    );
    fc.assert(
      fc.property(fc.array(aStep, { maxLength: 60 }), (steps) => {
        const { pool, memory } = setUp();
        const held: { readonly content: KeptContent; readonly text: string }[] = [];
        let made = 0;
        for (const step of steps) {
          if ("keep" in step) {
            made += 1;
            const text = String.fromCodePoint(33 + (made % 90)).repeat(step.keep);
            const slice = payload(pool, text);
            const content = step.copied ? memory.copy([slice], text.length) : memory.keep([slice]);
            content.retain();
            slice.slab.release();
            held.push({ content, text });
          } else held.splice(step.letGo % Math.max(1, held.length), 1)[0]?.content.release();
          expect(held.map(({ content, text }) => part(content, 0, text.length))).toEqual(held.map(({ text }) => text));
          expect(memory.countBytes()).toBe(memory.heldBytes);
        }
        for (const { content } of held) content.release();
        expect([memory.heldBytes, pool.heldBytes]).toEqual([0, 0]);
      }),
    );
  });
});
