import { describe, expect, it } from "vitest";

import { SlabPool } from "../../../src/transport/slab-pool.ts";

describe("SlabPool", () => {
  it("counts the memory that somebody needs", () => {
    const pool = new SlabPool({ slabBytes: 64, idleSlabs: 4 });
    expect(pool.heldBytes).toBe(0);
    const one = pool.take();
    const other = pool.take();
    expect(one.buffer).toHaveLength(64);
    expect(pool.heldBytes).toBe(128);
    one.retain();
    one.release();
    expect(pool.heldBytes).toBe(128);
    one.release();
    other.release();
    expect(pool.heldBytes).toBe(0);
  });

  it("hands the warmest slab out again, with one reference", () => {
    const pool = new SlabPool({ slabBytes: 64, idleSlabs: 4 });
    const [cold, warm] = [pool.take(), pool.take()];
    cold.release();
    warm.release();
    expect(pool.take()).toBe(warm);
    expect(warm.references).toBe(1);
    expect(pool.take()).toBe(cold);
  });

  it("keeps no more idle slabs than it was told to", () => {
    const pool = new SlabPool({ slabBytes: 64, idleSlabs: 1 });
    const slabs = [pool.take(), pool.take()];
    for (const slab of slabs) slab.release();
    expect(pool.take()).toBe(slabs[0]);
    expect(slabs).not.toContain(pool.take());
  });

  it("hands out slabs whose buffers share no memory", () => {
    const pool = new SlabPool({ slabBytes: 64, idleSlabs: 1 });
    expect(pool.take().buffer.buffer).not.toBe(pool.take().buffer.buffer);
  });

  it("spoils what comes home when a test wants to see who still reads it", () => {
    const pool = new SlabPool({ slabBytes: 4, idleSlabs: 1, poison: true });
    const slab = pool.take();
    slab.buffer.fill(1);
    slab.release();
    expect(slab.buffer.toString("hex")).toBe("dbdbdbdb");
  });

  it("leaves the bytes alone otherwise", () => {
    const pool = new SlabPool({ slabBytes: 4, idleSlabs: 1 });
    const slab = pool.take();
    slab.buffer.fill(1);
    slab.release();
    expect(slab.buffer.toString("hex")).toBe("01010101");
  });
});
