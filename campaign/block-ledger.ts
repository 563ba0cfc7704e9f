import assert from "node:assert";

import { BLOCK_BYTES, FOREIGN, MIXED, readTags, readValue } from "./block-tag.ts";
import { describeAllowed, explainMixture, explainValue, prune, unseen } from "./block-trace.ts";
import type { BlockTrace } from "./block-trace.ts";
import type { Finding } from "./finding.ts";
import { isWriteLike } from "./operation.ts";
import type { Operation, WantedOperation } from "./operation.ts";

/** More traces than this in a block are worth a look for those that have become useless. */
const FEW_TRACES = 3;

const NEVER_WRITTEN: Operation = {
  kind: "zeroes",
  firstBlock: 0,
  blocks: 0,
  fua: false,
  value: 0,
  start: 0,
  end: 0,
  error: 0,
};

/**
 * Knows of every block of a disk that began as zeros what it may hold: it is told when each operation begins and how it was
 * answered, and judges what reads have found. Blocks are single registers: a read finds a value that was there at some
 * moment between its start and its end, and all reads together agree on one order of the writes.
 */
export class BlockLedger {
  readonly blocks: number;
  readonly #traces: (BlockTrace[] | undefined)[];
  /** In the order of their starts. */
  readonly #pending = new Set<Operation>();
  #moment = 0;
  #values = 0;

  constructor(blocks: number) {
    this.blocks = blocks;
    this.#traces = Array.from({ length: blocks });
  }

  /** Has to be called before the request is sent. */
  begin({ kind, firstBlock, blocks, fua }: WantedOperation): Operation {
    assert(firstBlock + blocks <= this.blocks, "an operation beyond the end of the disk");
    const value = kind === "write" ? ++this.#values : 0;
    const start = ++this.#moment;
    const operation: Operation = { kind, firstBlock, blocks, fua, value, start, end: Infinity, error: 0 };
    this.#pending.add(operation);
    if (isWriteLike(operation)) {
      for (let block = firstBlock; block < firstBlock + blocks; block++) this.#tracesOf(block).push(unseen(operation));
    }
    return operation;
  }

  /**
   * Has to be called when the answer has come, with what a successful read has found. Returns what is wrong with it; each
   * wrong block is told once.
   */
  finish(operation: Operation, error: number, data: Buffer): Finding[] {
    operation.end = ++this.#moment;
    operation.error = error;
    const findings: Finding[] = [];
    if (operation.kind === "read" && error === 0) {
      assert.equal(data.length, operation.blocks * BLOCK_BYTES);
      for (let index = 0; index < operation.blocks; index++) {
        const finding = this.#judgeBlock(operation, data, index * BLOCK_BYTES, operation.firstBlock + index);
        if (finding !== undefined) findings.push(finding);
      }
    }
    // What it may have found was kept until now.
    this.#pending.delete(operation);
    return findings;
  }

  #judgeBlock({ start, end }: Operation, data: Buffer, at: number, block: number): Finding | undefined {
    const traces = this.#tracesOf(block);
    const value = readValue(data, at, block);
    const tags = value < 0 ? readTags(data, at) : [];
    const isWhole = tags.every((tag) => tag !== undefined && (tag.value === 0 || tag.block === block));
    const isRight =
      value === MIXED && isWhole
        ? explainMixture(
            traces,
            tags.map((tag) => tag?.value ?? FOREIGN),
            start,
          )
        : explainValue(traces, value, start, end);
    if (isRight) return undefined;

    const allowed = describeAllowed(traces, start);
    // From now on it may be like this, until it is written again.
    const accepted: Operation = { ...NEVER_WRITTEN, value, start, end, error: -1 };
    traces.push(unseen(accepted));
    if (value >= 0) return { kind: "lost", block, text: `${nameOf(value)} instead of ${allowed}` };
    const misplaced = tags.find((tag) => tag !== undefined && tag.value > 0 && tag.block !== block);
    if (misplaced !== undefined) {
      const text = `write ${misplaced.value} to block ${misplaced.block} instead of ${allowed}`;
      return { kind: "misplaced", block, text };
    }
    if (!isWhole) return { kind: "foreign", block, text: `bytes of nobody instead of ${allowed}` };
    const parts = tags.map((tag) => nameOf(tag?.value ?? 0)).join(" and ");
    return { kind: "mixed", block, text: `parts of ${parts} instead of ${allowed}` };
  }

  #tracesOf(block: number): BlockTrace[] {
    const traces = (this.#traces[block] ??= [unseen(NEVER_WRITTEN)]);
    if (traces.length > FEW_TRACES) prune(traces, this.#horizon());
    return traces;
  }

  /** Everything that is still to be judged starts here or later. */
  #horizon(): number {
    const [oldest] = this.#pending;
    return oldest?.start ?? this.#moment;
  }
}

function nameOf(value: number): string {
  return value === 0 ? "zeros" : `write ${value}`;
}
