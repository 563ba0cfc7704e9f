import type { Workload } from "../workload.ts";

/** What a server is made to hold in its cache when it loses its power. */
export interface UnflushedWorkload extends Workload {
  readonly totalBytes: number;
}

const KIB = 1024;
const MIB = 1024 * KIB;
const DEPTH = 16;
/** With the defaults, half of `--unflushed-limit`, the proxy flushes on its own account. */
const TOTAL_BYTES = 64 * MIB;
/** In small writes it flushes sooner, at half of the writes that it keeps. */
const SMALL_TOTAL_BYTES = 30 * MIB;

/** From what is replayed in few requests to what is replayed in as many as there were. */
export const UNFLUSHED_WORKLOADS: readonly UnflushedWorkload[] = [
  { name: "seq-128k", pattern: "write", blockSizeBytes: 128 * KIB, depth: DEPTH, totalBytes: TOTAL_BYTES },
  { name: "random-64k", pattern: "randwrite", blockSizeBytes: 64 * KIB, depth: DEPTH, totalBytes: TOTAL_BYTES },
  { name: "seq-4k", pattern: "write", blockSizeBytes: 4 * KIB, depth: DEPTH, totalBytes: SMALL_TOTAL_BYTES },
  { name: "random-4k", pattern: "randwrite", blockSizeBytes: 4 * KIB, depth: DEPTH, totalBytes: SMALL_TOTAL_BYTES },
];
