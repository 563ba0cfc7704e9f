import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { SequentialStream } from "../../../src/disks/sequential-stream.ts";
import { StreamDetector } from "../../../src/disks/stream-detector.ts";

const BLOCK = 4096;

/** A detector as the disk uses it, with what it forgot. */
class Stand {
  readonly forgotten: SequentialStream[] = [];
  readonly detector = new StreamDetector((stream) => this.forgotten.push(stream));

  /** Whether the read of this block goes on with a stream. */
  read(block: number): boolean {
    const stream = this.detector.observe(block * BLOCK, BLOCK);
    if (stream === undefined) this.detector.remember((block + 1) * BLOCK);
    return stream !== undefined;
  }

  /** Whether the read of this block, which goes on with nothing, may be taken for a beginning. */
  guess(block: number): boolean {
    expect(this.detector.observe(block * BLOCK, BLOCK)).toBeUndefined();
    return this.detector.guess(block * BLOCK, BLOCK) !== undefined;
  }
}

describe("StreamDetector", () => {
  it.each([
    ["a forward reader", [0, 1, 2, 3], [false, true, true, true]],
    ["a backward reader", [9, 8, 7, 6], [false, false, false, false]],
    ["one block again and again", [5, 5, 5, 5], [false, false, false, false]],
    ["strides", [0, 2, 4, 6, 8], [false, false, false, false, false]],
    ["two readers in turn", [0, 50, 1, 51, 2, 52], [false, false, true, true, true, true]],
    ["a reader that turns back", [0, 1, 2, 0, 1], [false, true, true, false, true]],
    ["a reader amid random reads", [0, 70, 30, 1, 90, 44, 2], [false, false, false, true, false, false, true]],
  ])("recognises %s", (_, blocks, expected) => {
    const stand = new Stand();
    expect(blocks.map((block) => stand.read(block))).toEqual(expected);
  });

  it("recognises every read but the first of up to eight readers in any order, amid some that go nowhere", () => {
    const turns = fc.array(fc.nat(7), { maxLength: 300, size: "max" });
    fc.assert(
      fc.property(turns, fc.array(fc.nat(299), { maxLength: 20 }), (order, strays) => {
        const stand = new Stand();
        const steps = new Map<number, number>();
        for (const [turn, reader] of order.entries()) {
          if (strays.includes(turn)) expect(stand.read(100_000 + turn * 2)).toBe(false);
          const step = steps.get(reader) ?? 0;
          expect(stand.read(reader * 1000 + step)).toBe(step > 0);
          steps.set(reader, step + 1);
        }
      }),
    );
  });

  it("follows eight readers at once, and does not give one up for a ninth", () => {
    const stand = new Stand();
    const readers = Array.from({ length: 9 }, (_, index) => index * 1000);
    const follows = [0, 1, 2, 3].map((step) => readers.map((first) => stand.read(first + step)));
    expect(follows[1]).toEqual([true, true, true, true, true, true, true, true, false]);
    expect(follows[3]).toEqual([true, true, true, true, true, true, true, true, false]);
    expect(stand.forgotten).toEqual([]);
  });

  it("gives the stream up that was not read for longest when another needs its place", () => {
    const stand = new Stand();
    for (let first = 0; first < 8000; first += 1000) for (let step = 0; step < 8; step += 1) stand.read(first + step);
    expect(stand.read(9000)).toBe(false);
    expect(stand.read(9001)).toBe(true);
    expect(stand.forgotten).toMatchObject([{ nextOffset: 8 * BLOCK, forgotten: true }]);
    expect(stand.detector.streams.length).toBe(8);
  });

  it("gives a guess up before any stream that is proven", () => {
    const stand = new Stand();
    for (let first = 0; first < 7000; first += 1000) for (let step = 0; step < 2; step += 1) stand.read(first + step);
    expect(stand.guess(50_000)).toBe(true);
    stand.read(60_000);
    expect(stand.read(60_001)).toBe(true);
    expect(stand.forgotten).toMatchObject([{ nextOffset: 50_001 * BLOCK, proven: false }]);
    expect(stand.read(50_001)).toBe(false);
  });

  it("guesses until eight guesses were wrong", () => {
    const stand = new Stand();
    const guesses = Array.from({ length: 10 }, (_, index) => stand.guess(index * 100));
    expect(guesses).toEqual([...Array.from({ length: 8 }, () => true), false, false]);
  });

  it("guesses on as long as every other guess is right", () => {
    const stand = new Stand();
    for (let index = 0; index < 100; index += 1) {
      expect(stand.guess(index * 100)).toBe(true);
      if (index % 2 === 0) expect(stand.read(index * 100 + 1)).toBe(true);
    }
  });

  it("guesses again when reads that it did not guess about go on", () => {
    const stand = new Stand();
    for (let index = 0; index < 8; index += 1) stand.guess(index * 100);
    expect(stand.guess(5000)).toBe(false);
    stand.read(6000);
    stand.read(6001);
    expect(stand.guess(7000)).toBe(true);
  });

  it("counts the streams that are alive: proven, and read from lately", () => {
    const stand = new Stand();
    expect(stand.detector.alive).toBe(1);
    stand.guess(900);
    for (const block of [0, 1, 100, 101]) stand.read(block);
    expect(stand.detector.alive).toBe(2);
    for (let block = 102; block < 140; block += 1) stand.read(block);
    expect(stand.detector.alive).toBe(1);
  });

  it("names the stream whose memory another may take: a guess, else one that had not been read from for some time", () => {
    const stand = new Stand();
    for (const block of [0, 1, 100, 101]) stand.read(block);
    const [old, taker] = stand.detector.streams;
    if (old === undefined || taker === undefined) throw new Error("no streams");
    expect(stand.detector.victim(taker)).toBeUndefined();
    old.heldBytes = BLOCK;
    expect(stand.detector.victim(taker)).toBeUndefined();
    stand.read(102);
    stand.read(103);
    expect(stand.detector.victim(taker)).toBe(old);
    expect(stand.detector.victim(old)).toBeUndefined();
    old.heldBytes = 0;
    expect(stand.detector.victim(taker)).toBeUndefined();
    stand.guess(500);
    for (const guess of stand.detector.streams.slice(2)) guess.heldBytes = BLOCK;
    expect(stand.detector.victim(taker)?.proven).toBe(false);
  });
});
