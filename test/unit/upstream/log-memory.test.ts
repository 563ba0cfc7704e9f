import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { LIMITS } from "../../../src/limits.ts";
import { Slab } from "../../../src/transport/slab.ts";
import { SlabPool } from "../../../src/transport/slab-pool.ts";
import { Slice } from "../../../src/transport/slice.ts";
import { type KeptContent, LogMemory } from "../../../src/upstream/log-memory.ts";
import { textOf } from "./kept.ts";

const SLAB_BYTES = 128;

function setUp(slabBytes = SLAB_BYTES) {
  const pool = new SlabPool({ slabBytes, idleSlabs: 4, poison: true });
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

describe("LogMemory", () => {
  it("copies short payloads together, so that the slabs in which they came go home", () => {
    const { pool, memory } = setUp();
    const contents = ["first", "second", "third"].map((text) => {
      const slice = payload(pool, text);
      const content = memory.keep([slice], text.length);
      content.retain();
      slice.slab.release();
      return content;
    });
    expect([memory.heldBytes, pool.heldBytes]).toEqual([SLAB_BYTES, SLAB_BYTES]);
    expect(contents.map((content) => part(content, 0, 100))).toEqual(["first", "second", "third"]);
    for (const content of contents) content.release();
    expect([memory.heldBytes, pool.heldBytes]).toEqual([0, 0]);
  });

  it("takes another slab for what does not fit, and counts whole slabs", () => {
    const { pool, memory } = setUp();
    const slice = payload(pool, "x".repeat(50));
    const contents = [1, 2, 3].map(() => memory.keep([slice], 50));
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
    const first = memory.keep([slice], 20);
    first.retain();
    const second = memory.keep([slice], 20);
    second.retain();
    first.release();
    expect(part(second, 0, 20)).toBe("y".repeat(20));
    second.release();
    const third = memory.keep([slice], 20);
    third.retain();
    expect([memory.heldBytes, part(third, 0, 20)]).toEqual([SLAB_BYTES, "y".repeat(20)]);
  });

  it("keeps long payloads where they are, as long as a fragment needs them", () => {
    const long = LIMITS.logCopyBytes + 1;
    const { pool, memory } = setUp(LIMITS.slabBytes);
    const slab = pool.take();
    slab.buffer.write("begin", 100, "latin1");
    const slices = [new Slice(slab, 100, 200, 28), new Slice(slab, 300, 200 + long, 0)];
    const content = memory.keep(slices, long);
    content.retain();
    content.retain();
    slab.release();
    const kept: Slice[] = [];
    content.appendTo(kept, 0, long);
    expect(
      kept.map(({ slab: memoryOf, start, end, headroomBytes }) => [memoryOf === slab, start, end, headroomBytes]),
    ).toEqual([
      [true, 100, 200, 0],
      [true, 300, 200 + long, 0],
    ]);
    expect(part(content, 0, 5)).toBe("begin");
    expect([memory.heldBytes, memory.countBytes(), pool.heldBytes]).toEqual([
      slab.buffer.length,
      slab.buffer.length,
      slab.buffer.length,
    ]);
    content.release();
    expect(pool.heldBytes).toBe(slab.buffer.length);
    content.release();
    expect([memory.heldBytes, pool.heldBytes, slab.references]).toEqual([0, 0, 0]);
  });

  it("counts slabs of any size, once each, however many payloads lie in them", () => {
    const { memory } = setUp(LIMITS.slabBytes);
    const slab = new Slab(Buffer.alloc(10 * 1024 * 1024));
    const contents = [0, 1, 2].map((index) =>
      memory.keep([new Slice(slab, index * 2_000_000, index * 2_000_000 + 1_000_000, 0)], 1_000_000),
    );
    for (const content of contents) content.retain();
    expect(memory.heldBytes).toBe(slab.buffer.length);
    for (const content of contents) content.release();
    expect([memory.heldBytes, slab.references]).toEqual([0, 1]);
  });

  it("has the parts of a content that are asked for, across its slices", () => {
    const { memory } = setUp();
    const slices = ["abc", "d", "efgh"].map((text) => new Slice(new Slab(Buffer.from(text)), 0, text.length, 0));
    const content = memory.keep(slices, 8);
    content.retain();
    expect([part(content, 0, 8), part(content, 2, 5), part(content, 7, 8), part(content, 4, 4)]).toEqual([
      "abcdefgh",
      "cde",
      "h",
      "",
    ]);
  });

  it("holds, whatever is kept and let go, what is needed, and in the end nothing", () => {
    const aStep = fc.oneof(fc.record({ keep: fc.integer({ min: 1, max: 200 }) }), fc.record({ letGo: fc.nat() }));
    fc.assert(
      fc.property(fc.array(aStep, { maxLength: 60 }), (steps) => {
        const { pool, memory } = setUp();
        const held: { readonly content: KeptContent; readonly text: string }[] = [];
        let made = 0;
        for (const step of steps) {
          if ("keep" in step) {
            made += 1;
            const text = String.fromCodePoint(33 + (made % 90)).repeat(Math.min(step.keep, SLAB_BYTES - 28));
            const slice = payload(pool, text);
            const content = memory.keep([slice], text.length);
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
