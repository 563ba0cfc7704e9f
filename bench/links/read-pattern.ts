import { SeededRandom } from "../../test/simulation/seeded-random.ts";
import { bootTrace } from "./boot-trace.ts";
import type { ByteRange } from "./byte-range.ts";

/** How clients read, in an area of the disk that nobody has read before. */
export interface ReadPattern {
  /** Unique. */
  readonly name: string;
  /** What read-ahead has to be for it: a gain, or at least no loss. */
  readonly kind: "forward" | "boot" | "other";
  /** Each reader reads one after the other what this gives it; they work at the same time. */
  readonly readers: readonly (() => Iterable<ByteRange>)[];
  /** Reads that each reader has in flight. */
  readonly depth: number;
  /** Whether each reader has its own connection. */
  readonly ownConnections: boolean;
}

const KIB = 1024;
/** So much of the disk belongs to one pattern. */
export const AREA_BYTES = 1024 * 1024 * KIB;
const STRIDE_BYTES = 64 * KIB;
const BOOT_SEED = 4;
const BOOT_RUNS = 60;

/** Everything that is read over each link. */
export const READ_PATTERNS: readonly ReadPattern[] = [
  one("forward-4k", "forward", () => forward(4 * KIB)),
  one("forward-64k", "forward", () => forward(64 * KIB)),
  one("forward-128k", "forward", () => forward(128 * KIB)),
  several("4-forward-64k", 4, 64 * KIB, false),
  several("8-forward-64k", 8, 64 * KIB, false),
  several("4-clients-64k", 4, 64 * KIB, true),
  several("8-clients-64k", 8, 64 * KIB, true),
  one("backward-4k", "other", () => backward(4 * KIB)),
  one("backward-64k", "other", () => backward(64 * KIB)),
  one("stride-4k", "other", () => strides([0])),
  one("2-strides-4k", "other", () => strides([0, AREA_BYTES / 2 + 20 * KIB])),
  one("random-4k", "other", () => scattered(4 * KIB)),
  one("random-64k", "other", () => scattered(64 * KIB)),
  one("boot-d1", "boot", boot),
  one("boot-d4", "boot", boot, 4),
];

/** What each contender is made to do before anything is measured. */
export const WARMUP: ReadPattern = one("warm-up", "forward", () => forward(4 * KIB), 16);

function one(name: string, kind: ReadPattern["kind"], reader: () => Iterable<ByteRange>, depth = 1): ReadPattern {
  return { name, kind, readers: [reader], depth, ownConnections: false };
}

function several(name: string, count: number, length: number, ownConnections: boolean): ReadPattern {
  const share = AREA_BYTES / count;
  const readers = Array.from({ length: count }, (_, i) => () => forward(length, i * share, share));
  return { name, kind: "forward", readers, depth: 1, ownConnections };
}

function* forward(length: number, begin = 0, areaBytes = AREA_BYTES): Generator<ByteRange> {
  for (let offset = begin; offset < begin + areaBytes; offset += length) yield { offset, length };
}

function* backward(length: number): Generator<ByteRange> {
  for (let offset = AREA_BYTES - length; offset >= 0; offset -= length) yield { offset, length };
}

/** A little of every stride, in turn from each beginning. */
function* strides(begins: readonly number[]): Generator<ByteRange> {
  for (let position = 0; position < AREA_BYTES / 2; position += STRIDE_BYTES) {
    for (const begin of begins) yield { offset: begin + position, length: 4 * KIB };
  }
}

function* scattered(length: number): Generator<ByteRange> {
  const random = new SeededRandom(length);
  for (;;) yield { offset: random.integer(AREA_BYTES / length) * length, length };
}

function boot(): Iterable<ByteRange> {
  return bootTrace({ seed: BOOT_SEED, runs: BOOT_RUNS, areaBytes: AREA_BYTES });
}
