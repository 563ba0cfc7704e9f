import { describe, expect, it } from "vitest";
import type { Disk, DiskHandle, DiskRequest, DiskUser } from "../../../src/disk.ts";
import { MemoryDisk } from "../../../src/disks/memory-disk.ts";
import { ReadAheadDisk } from "../../../src/disks/read-ahead-disk.ts";
import type { Geometry } from "../../../src/protocol/geometry.ts";
import { SeededRandom } from "../../simulation/seeded-random.ts";
import { attach, request } from "./ask.ts";

const K = 1024;
const M = K * K;

/** A disk that answers after a time of its own, one request or many alike; counts what it is asked. */
class DistantDisk implements Disk {
  readonly geometry: Geometry;
  readonly #disk = new MemoryDisk({ sizeBytes: 64 * M });
  readonly #delayMs: number;
  readonly #due: { readonly atMs: number; readonly deliver: () => void }[] = [];
  nowMs = 0;
  requests = 0;
  bytes = 0;

  constructor(delayMs: number) {
    this.geometry = this.#disk.geometry;
    this.#delayMs = delayMs;
  }

  attach(user: DiskUser): DiskHandle {
    const handle = this.#disk.attach(user);
    return {
      submit: (asked: DiskRequest) => {
        this.requests += 1;
        this.bytes += asked.length;
        this.#due.push({ atMs: this.nowMs + this.#delayMs, deliver: () => handle.submit(asked) });
      },
      close: () => handle.close(),
    };
  }

  /** Lets time pass until the next answer. */
  next(): void {
    const first = this.#due.shift();
    if (first === undefined) throw new Error("nobody waits for anything");
    this.nowMs = first.atMs;
    first.deliver();
  }
}

interface Cost {
  readonly ms: number;
  readonly requests: number;
  readonly bytes: number;
}

/** What it costs to read [offset, length] one after the other, a client that needs 0.2 ms for each, over 5 ms of distance. */
function read(trace: readonly (readonly [number, number])[], cacheBytes: number, depth = 1): Cost {
  const below = new DistantDisk(5);
  const handle = attach(cacheBytes > 0 ? new ReadAheadDisk(below, { cacheBytes }) : below);
  const open = new Set<object>();
  const waitFor = (most: number): void => {
    while (open.size > most) below.next();
  };
  for (const one of trace) {
    waitFor(depth - 1);
    below.nowMs += 0.2;
    open.add(one);
    handle.submit(request({ offset: one[0], length: one[1] }, () => open.delete(one)));
  }
  waitFor(0);
  return { ms: below.nowMs, requests: below.requests, bytes: below.bytes };
}

/** What it costs, in parts of what it costs without a cache. */
function cost(trace: readonly (readonly [number, number])[], cacheBytes: number, depth = 1): Cost {
  const [plain, cached] = [read(trace, 0, depth), read(trace, cacheBytes, depth)];
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
