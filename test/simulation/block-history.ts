import { BROKEN, INITIAL, UNKNOWN } from "./block-content.ts";
import type { BlockDoubt, BlockRead, BlockWrite, DoubtfulHistory } from "./linearizability.ts";
import type { Operation } from "./operation-history.ts";

/** What has to be known of a history to cut it into those of its blocks. */
export interface BlockHistoryOptions {
  /** Whether an operation may have failed, though its client did not hear of it. */
  readonly mayFail: (operation: Operation) => boolean;
  readonly tears: boolean;
}

/** The history of one block, cut out of the history of all. */
export function blockHistory(all: readonly Operation[], block: number, options: BlockHistoryOptions): DoubtfulHistory {
  const { mayFail, tears } = options;
  const writes: BlockWrite[] = [{ value: INITIAL, start: 0, end: 0, certain: true }];
  const doubts: BlockDoubt[] = [];
  const reads: BlockRead[] = [];
  for (const operation of all) {
    if (!changesOrReads(operation, block)) continue;
    const { kind, value, start, end, error, results } = operation;
    const answered = end !== Infinity;
    if (kind === "read") {
      if (answered && error === 0) reads.push({ value: results[block - operation.block] ?? BROKEN, start, end });
    } else if (kind === "status") {
      // Who is told that a block is zeros may use it as if it had read them.
      const told = results[block - operation.block] ?? UNKNOWN;
      if (answered && told !== UNKNOWN) reads.push({ value: told, start, end });
    } else if (kind === "trim") {
      doubts.push({ value: undefined, start, end });
    } else if (error !== 0 || (!answered && mayFail(operation))) {
      doubts.push({ value, start, end });
    } else {
      writes.push({ value, start, end, certain: answered });
    }
  }
  return { writes, doubts, reads, tears };
}

/** Whether an operation is about this block. */
export function changesOrReads({ kind, block: first, blocks, results }: Operation, block: number): boolean {
  return kind !== "flush" && first <= block && block < first + Math.max(blocks, results.length);
}
