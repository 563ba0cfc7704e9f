import { describe, expect, it } from "vitest";

import { Slab } from "../../../src/transport/slab.ts";
import { Slice } from "../../../src/transport/slice.ts";

describe("Slab", () => {
  it("goes home when its last reference is released, and not before", () => {
    const home: Slab[] = [];
    const slab = new Slab(Buffer.alloc(8), (one) => home.push(one));
    slab.retain();
    slab.retain();
    expect(slab.references).toBe(3);
    slab.release();
    slab.release();
    expect(home).toEqual([]);
    slab.release();
    expect(home).toEqual([slab]);
    expect(slab.references).toBe(0);
  });

  it("needs no home", () => {
    const slab = new Slab(Buffer.alloc(8));
    slab.release();
    expect(slab.references).toBe(0);
  });

  it("does not let itself be released once too often", () => {
    const slab = new Slab(Buffer.alloc(8));
    slab.release();
    expect(() => slab.release()).toThrow("released a slab once too often");
  });

  it("does not let itself be retained after it went home", () => {
    const slab = new Slab(Buffer.alloc(8));
    slab.release();
    expect(() => slab.retain()).toThrow("retained a slab that was released");
  });

  it("can be used again only when nobody needs it", () => {
    const slab = new Slab(Buffer.alloc(8));
    expect(() => slab.reuse()).toThrow("reused a slab that is still needed");
    slab.release();
    slab.reuse();
    expect(slab.references).toBe(1);
  });

  it("views its own bytes even when they are part of a larger buffer", () => {
    const slab = new Slab(Buffer.from("0011223344556677", "hex").subarray(2, 6));
    expect(slab.view.getUint32(0)).toBe(0x22334455);
    expect(slab.view.byteLength).toBe(4);
  });
});

describe("Slice", () => {
  it("is a window on its slab, not a copy, and does not hold it", () => {
    const slab = new Slab(Buffer.from("0123456789"));
    const slice = new Slice(slab, 2, 5, 2);
    expect(slice.length).toBe(3);
    expect(slice.bytes().toString()).toBe("234");
    slab.buffer[2] = 0x58;
    expect(slice.bytes().toString()).toBe("X34");
    expect(slab.references).toBe(1);
  });
});
