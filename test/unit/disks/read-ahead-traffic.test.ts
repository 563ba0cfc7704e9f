import { describe, expect, it } from "vitest";
import { SeededRandom } from "../../simulation/seeded-random.ts";
import { type Cost, costOf, type Link, type Trace } from "./distant-disk.ts";

const K = 1024;
const M = K * K;

/** Far away, and wide. */
const DISTANT: Link = { delayMs: 5, bytesPerMs: Infinity };

/** What it costs, in parts of what it costs without a cache. */
function cost(trace: Trace, cacheBytes: number, depth = 1, link = DISTANT): Cost {
  const [plain, cached] = [0, cacheBytes].map((bytes) => costOf(trace, bytes, depth, link, 64 * M)) as [Cost, Cost];
  return { ms: cached.ms / plain.ms, requests: cached.requests / plain.requests, bytes: cached.bytes / plain.bytes };
}

function forward(reads: number, lengthBytes = 4 * K, from = 0): [number, number][] {
  return Array.from({ length: reads }, (_, index) => [from + index * lengthBytes, lengthBytes]);
}

function random(reads: number): [number, number][] {
  const draw = new SeededRandom(7);
  return Array.from({ length: reads }, () => [draw.integer(16 * K) * 4 * K, 4 * K]);
}

/** Several forward readers in turn. */
function inTurn(readers: number, reads: number): [number, number][] {
  return Array.from({ length: readers * reads }, (_, index) => [
    (index % readers) * 2 * M + Math.floor(index / readers) * 4 * K,
    4 * K,
  ]);
}

/** Runs of some reads, each somewhere else, of 4 to 32 KiB: files that are read whole. */
function booting(runs: number): [number, number][] {
  const draw = new SeededRandom(3);
  return Array.from({ length: runs }, () => {
    const length = 4 * K * 2 ** draw.integer(4);
    return forward(2 + draw.integer(30), length, draw.integer(8 * K) * 4 * K);
  }).flat();
}

describe("reading ahead over a distance", () => {
  it("nearly halves the time of a forward reader with memory for one read", () => {
    const result = cost(forward(1000), 4096);
    expect(result.ms).toBeLessThan(1 / 1.8);
    expect(result.requests).toBeLessThan(0.51);
    expect(result.bytes).toBeLessThan(1.01);
  });

  it.each([4 * K, 16 * K, 128 * K])(
    "makes a forward reader of %i bytes ten times faster with 16 MiB",
    (lengthBytes) => {
      const result = cost(forward((32 * M) / lengthBytes, lengthBytes), 16 * M);
      expect(result.ms).toBeLessThan(0.1);
      expect(result.bytes).toBeLessThan(1.3);
    },
  );

  it("gets better with every doubling of the memory", () => {
    const times = [4, 8, 16, 32, 64, 256].map((kilo) => cost(forward(2000), kilo * K).ms);
    for (const [index, ms] of times.entries()) expect(ms).toBeLessThanOrEqual((times[index - 1] ?? 0.55) * 1.001);
    expect(times.at(-1)).toBeLessThan(0.1);
  });

  it.each([2, 4, 8])("makes %i forward readers in turn ten times faster with 16 MiB", (readers) => {
    const result = cost(inTurn(readers, 400), 16 * M);
    expect(result.ms).toBeLessThan(0.1);
    expect(result.bytes).toBeLessThan(2);
  });

  it("helps some of twelve readers in turn, at no cost for the others", () => {
    const result = cost(inTurn(12, 200), 16 * M);
    expect(result.ms).toBeLessThan(0.5);
    expect(result.bytes).toBeLessThan(2);
  });

  it("makes a machine that boots faster, and reads less than twice as much for it", () => {
    const result = cost(booting(100), 64 * M);
    expect(result.ms).toBeLessThan(0.55);
    expect(result.requests).toBeLessThan(0.8);
    expect(result.bytes).toBeLessThan(2);
    expect(cost(booting(100), 4096).ms).toBeLessThan(1);
  });

  it("saves a deep forward reader most of its requests, and costs it no time", () => {
    const result = cost(forward(4000), 16 * M, 16);
    expect(result.requests).toBeLessThan(0.1);
    expect(result.ms).toBeLessThan(1);
    expect(cost(forward(4000), 4096, 16).ms).toBeLessThanOrEqual(1);
  });

  it.each([
    ["random reads", random(1000)],
    ["a backward reader", forward(1000).toReversed()],
    ["strides", forward(1000, 12 * K).map(([offset]) => [offset, 4 * K] as const)],
    ["one place again and again", Array.from({ length: 1000 }, () => [64 * K, 4 * K] as const)],
  ])("costs %s nothing", (_, trace) => {
    for (const cacheBytes of [4096, 64 * K, 16 * M]) {
      const result = cost(trace, cacheBytes);
      expect(result.ms).toBeLessThanOrEqual(1);
      expect(result.requests).toBeLessThanOrEqual(1);
      // The eight guesses that it takes to find out.
      expect(result.bytes).toBeLessThan(cacheBytes > 64 * K ? 1.01 : 1.03);
    }
  });
});

/** What a narrow line carries, near and far away. */
const NARROW: Link = { delayMs: 0.2, bytesPerMs: 50 * K };
const BOTH: Link = { delayMs: 5, bytesPerMs: 50 * K };

describe("reading ahead over a narrow line", () => {
  it.each([4 * K, 64 * K, 128 * K])("keeps it busy for a forward reader of %i bytes", (lengthBytes) => {
    for (const link of [NARROW, BOTH]) {
      const trace = forward((32 * M) / lengthBytes, lengthBytes);
      const { ms, bytes } = costOf(trace, 16 * M, 1, link, 64 * M);
      // What the line needs, or the client.
      expect(ms).toBeLessThan(1.1 * Math.max((32 * M) / link.bytesPerMs, trace.length * 0.2));
      expect(bytes).toBeLessThan(1.05 * 32 * M);
    }
  });

  it.each([1, 4])("costs a machine that boots nothing where there is little to gain, %i reads at a time", (depth) => {
    const near = cost(booting(200), 64 * M, depth, NARROW);
    expect(near.ms).toBeLessThan(1.02);
    expect(near.bytes).toBeLessThan(1.2);
  });

  it("makes a machine that boots faster where distance costs more than bytes", () => {
    const far = cost(booting(200), 64 * M, 1, BOTH);
    expect(far.ms).toBeLessThan(0.5);
    expect(far.bytes).toBeLessThan(1.7);
  });

  it("still knows what reading costs after many random reads", () => {
    const trace = [...forward(256, 64 * K), ...random(1000), ...booting(200)];
    expect(cost(trace, 64 * M, 4, NARROW).bytes).toBeLessThan(1.1);
  });

  it("keeps readers that fill the line by themselves from reading more than they need", () => {
    const result = cost(inTurn(8, 400), 64 * M, 8, NARROW);
    expect(result.ms).toBeLessThan(1.01);
    expect(result.bytes).toBeLessThan(1.3);
  });

  it.each([
    ["random reads", random(1000)],
    ["a backward reader", forward(1000).toReversed()],
    ["strides", forward(1000, 12 * K).map(([offset]) => [offset, 4 * K] as const)],
  ])("costs %s nothing", (_, trace) => {
    for (const link of [NARROW, BOTH]) {
      const result = cost(trace, 16 * M, 1, link);
      expect(result.ms).toBeLessThan(1.001);
      expect(result.bytes).toBeLessThan(1.01);
    }
  });
});
