import { BROKEN, INITIAL } from "./block-content.ts";
import { changesOrReads } from "./block-history.ts";
import type { Operation } from "./operation-history.ts";

/** What stable storage holds of one block when the server has lost its cache, and what clients were told by then. */
export interface StableBlock {
  readonly block: number;
  readonly value: number;
  /** What was acknowledged before this moment was flushed since. */
  readonly flushedBefore: number;
  /** A request that was not answered may have left a part of what it writes. */
  readonly tears: boolean;
}

/**
 * Why stable storage breaks a promise; undefined when it does not. A write that was acknowledged before a completed FLUSH, or
 * with FUA, must be there, or something that is not older.
 */
export function brokenWord(all: readonly Operation[], stable: StableBlock): string | undefined {
  const { block, value, flushedBefore, tears } = stable;
  const changes = all.filter((one) => one.kind !== "read" && one.kind !== "status" && changesOrReads(one, block));
  const promised = changes.filter(({ kind, end, error, fua }) => {
    return kind !== "trim" && error === 0 && end !== Infinity && (fua || end < flushedBefore);
  });
  for (const { number, value: expected, start, fua } of promised) {
    if (expected === value) continue;
    const notOlder = changes.filter((other) => other.end > start && other.number !== number);
    // What a TRIM leaves is up to the server.
    if (notOlder.some(({ kind }) => kind === "trim")) continue;
    const found = value === BROKEN ? tears && notOlder.length > 0 : notOlder.some((other) => other.value === value);
    if (found) continue;
    const flushed = flushedBefore === Infinity ? "when all should have been flushed" : "before a FLUSH that succeeded";
    return `stable storage holds ${name(value)} instead of ${expected}: #${number} was acknowledged ${fua ? "with FUA" : flushed}`;
  }
  return undefined;
}

function name(value: number): string {
  if (value === BROKEN) return "bytes that nobody wrote like this";
  return value === INITIAL ? "what nobody ever changed" : String(value);
}
