import { describe, expect, it } from "vitest";
import { blockValue, BROKEN, fillBlocks, INITIAL, ZEROS } from "./block-content.ts";
import { ModelDisk, type WriteOrigin } from "./model-disk.ts";
import { SeededRandom } from "./seeded-random.ts";

const BLOCK = 16;

function origin(connection: object, what: Partial<WriteOrigin> = {}): WriteOrigin {
  return { connection, fua: false, tears: false, replied: true, ...what };
}

function inOrder(values: Iterable<number>): readonly number[] {
  return [...new Set(values)].sort((one, other) => one - other);
}

/** A disk of two blocks, and short names for what is done to it. */
function disk(losesCache = true) {
  const model = new ModelDisk(2, BLOCK, losesCache);
  const seen = (block: number): number => {
    const bytes = Buffer.alloc(BLOCK);
    model.read(block * BLOCK, bytes);
    return blockValue(bytes, 0, block, BLOCK);
  };
  const write = (block: number, value: number, from: WriteOrigin, bytes = BLOCK): void => {
    const content = Buffer.alloc(BLOCK);
    fillBlocks(content, block, BLOCK, value);
    model.write(block * BLOCK, content.subarray(0, bytes), from);
  };
  /** What may be left of a block. */
  const left = (block: number): readonly number[] => inOrder(model.possibleValues(block));
  return { model, seen, write, left };
}

describe("the model server's disk", () => {
  const here = {};
  const there = {};

  it("shows the last write, and may lose each that was not flushed", () => {
    const { seen, write, left } = disk();
    write(0, 2, origin(here));
    write(0, 3, origin(here));
    expect(seen(0)).toBe(3);
    expect(left(0)).toEqual([INITIAL, 2, 3]);
    expect(left(1)).toEqual([INITIAL]);
  });

  it("makes stable what was replied to over the connection of the FLUSH, and what lies below", () => {
    const { model, seen, write, left } = disk();
    const unanswered = origin(here, { replied: false });
    write(0, 2, origin(there));
    write(0, 3, origin(here));
    write(0, 4, unanswered);
    write(1, 5, origin(there));
    model.flush(here);
    expect(left(0)).toEqual([3, 4]);
    expect(left(1)).toEqual([INITIAL, 5]);
    expect(seen(0)).toBe(4);
    unanswered.replied = true;
    model.flush(here);
    expect(left(0)).toEqual([4]);
  });

  it("makes FUA stable at once, with all that it covers", () => {
    const { model, write, left } = disk();
    write(0, 2, origin(here));
    write(0, 3, origin(there, { fua: true }));
    expect(left(0)).toEqual([3]);
    model.flush(here);
    expect(left(0)).toEqual([3]);
  });

  it("never writes back what a failed FLUSH took for written", () => {
    const { model, seen, write, left } = disk();
    write(0, 2, origin(here));
    write(1, 3, origin(there));
    model.failFlush(here);
    model.flush(here);
    expect(seen(0)).toBe(2);
    expect(left(0)).toEqual([INITIAL]);
    model.flush(there);
    expect(left(1)).toEqual([3]);
  });

  it("leaves after a crash what may be left, and every such value some time", () => {
    const found = new Set<number>();
    for (let seed = 1; seed <= 100; seed += 1) {
      const { model, seen, write, left } = disk();
      write(0, 2, origin(here));
      write(0, 3, origin(here, { tears: true }));
      write(0, 4, origin(here, { tears: true, replied: false }));
      model.crash(new SeededRandom(seed));
      expect(left(0)).toEqual([seen(0)]);
      found.add(seen(0));
    }
    expect(inOrder(found)).toEqual(inOrder([BROKEN, INITIAL, 2, 3, 4]));
  });

  it("tears only where it is allowed to", () => {
    for (let seed = 1; seed <= 100; seed += 1) {
      const { model, seen, write } = disk();
      write(0, 2, origin(here, { tears: true }));
      write(1, 3, origin(here, { replied: false }));
      model.crash(new SeededRandom(seed));
      expect([INITIAL, 2]).toContain(seen(0));
      expect([INITIAL, 3]).toContain(seen(1));
    }
  });

  it("takes a part of a block for no more than a version, whatever its flags", () => {
    const { seen, write, left } = disk();
    write(0, 2, origin(here, { fua: true, replied: false }), 5);
    expect(seen(0)).toBe(BROKEN);
    expect(left(0)).toEqual(inOrder([BROKEN, INITIAL]));
  });

  it("remembers zeros like any other write", () => {
    const { model, left } = disk();
    model.zero(0, 2 * BLOCK, origin(here));
    expect(left(1)).toEqual(inOrder([ZEROS, INITIAL]));
  });

  it("loses nothing when it has no cache", () => {
    const { model, seen, write } = disk(false);
    write(0, 2, origin(here));
    model.crash(new SeededRandom(1));
    expect(seen(0)).toBe(2);
  });
});
