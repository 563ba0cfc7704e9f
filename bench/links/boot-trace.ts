import { SeededRandom } from "../../test/simulation/seeded-random.ts";
import type { ByteRange } from "./byte-range.ts";

/** What the trace is made of. */
export interface BootTraceOptions {
  readonly seed: number;
  readonly runs: number;
  /** All of it lies in so many bytes. */
  readonly areaBytes: number;
}

const BLOCK_BYTES = 4096;
const LEAST_READS = 2;
const MOST_READS = 40;
const LARGEST_READ_BYTES = 128 * 1024;
/** Of so many runs, one goes on in turn with the next. */
const INTERLEAVED = 0.25;
/** Of so many runs, one was read before. */
const READ_AGAIN = 0.15;

/**
 * The reads of a machine that boots, as one block device sees them: files that are read from their beginning, at scattered
 * places, some of them two at a time, and some of them again.
 */
export function bootTrace({ seed, runs, areaBytes }: BootTraceOptions): ByteRange[] {
  const random = new SeededRandom(seed);
  const all: ByteRange[][] = [];
  while (all.length < runs) {
    const again = all.length > 0 && random.chance(READ_AGAIN);
    all.push(again ? random.pick(all) : newRun(random, areaBytes));
  }
  const trace: ByteRange[] = [];
  for (let i = 0; i < all.length; i += 1) {
    const run = all[i] ?? [];
    const other = random.chance(INTERLEAVED) ? all[i + 1] : undefined;
    trace.push(...(other === undefined ? run : inTurn(run, other)));
    if (other !== undefined) i += 1;
  }
  return trace;
}

/** One file: all reads of one length, which is a power of two. */
function newRun(random: SeededRandom, areaBytes: number): ByteRange[] {
  const lengths = Math.log2(LARGEST_READ_BYTES / BLOCK_BYTES) + 1;
  const length = BLOCK_BYTES * 2 ** random.integer(lengths);
  const reads = LEAST_READS + random.integer(MOST_READS - LEAST_READS + 1);
  const begin = random.integer((areaBytes - reads * length) / BLOCK_BYTES) * BLOCK_BYTES;
  return Array.from({ length: reads }, (_, read) => ({ offset: begin + read * length, length }));
}

function inTurn(one: readonly ByteRange[], other: readonly ByteRange[]): ByteRange[] {
  const mixed: ByteRange[] = [];
  for (let i = 0; i < Math.max(one.length, other.length); i += 1) {
    for (const range of [one[i], other[i]]) if (range !== undefined) mixed.push(range);
  }
  return mixed;
}
