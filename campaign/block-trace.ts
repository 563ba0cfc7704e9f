import { FOREIGN, MIXED } from "./block-tag.ts";
import { hasSucceeded } from "./operation.ts";
import type { Operation } from "./operation.ts";

/** What one write-like operation did to one block, as far as it is known. */
export interface BlockTrace {
  readonly operation: Operation;
  /** The end of the first read that found it there, and the start of the last. */
  firstSeen: number;
  lastSeen: number;
}

/** A trace of an operation that nobody has read yet. */
export function unseen(operation: Operation): BlockTrace {
  return { operation, firstSeen: Infinity, lastSeen: 0 };
}

/** Whether a read from `start` to `end` may have found `value`. Notes it where there is only one explanation. */
export function explainValue(traces: readonly BlockTrace[], value: number, start: number, end: number): boolean {
  if (isUnsettled(traces, start)) return mayHold(traces, value, start);
  const candidates = traces.filter((trace) => trace.operation.value === value && !isReplaced(traces, trace, start));
  const fitting = candidates.filter((trace) => fits(traces, trace, start, end));
  const [only, another] = fitting;
  if (only === undefined) return false;
  // Several writes of zeros look alike.
  if (another === undefined) {
    only.firstSeen = Math.min(only.firstSeen, end);
    only.lastSeen = Math.max(only.lastSeen, start);
  }
  return true;
}

/**
 * Whether a read from `start` on may have found parts of several values: none of them too old, and one of them being
 * written at the time.
 */
export function explainMixture(traces: readonly BlockTrace[], values: readonly number[], start: number): boolean {
  if (traces.some(({ operation }) => operation.value === MIXED)) return true;
  const isBusy = traces.some(({ operation }) => operation.end > start && values.includes(operation.value));
  return (isBusy || isUnsettled(traces, start)) && values.every((value) => mayHold(traces, value, start));
}

/** Keeps only what a read that began at the horizon or later can still find, or what can forbid it something. */
export function prune(traces: BlockTrace[], horizon: number): void {
  const settled = traces.findLast(({ operation }) => isCertain(operation) && operation.end < horizon);
  if (settled === undefined) return;
  const { start } = settled.operation;
  let kept = 0;
  for (const trace of traces) {
    const isOver = trace.operation.end < start && trace.lastSeen < start;
    if (!isOver) traces[kept++] = trace;
  }
  traces.length = kept;
}

/** So many of the contents that are allowed are told. */
const DESCRIBED = 3;

/** What a read from `start` on may find, in words. */
export function describeAllowed(traces: readonly BlockTrace[], start: number): string {
  const allowed = traces
    .filter((trace) => !isReplaced(traces, trace, start))
    .map(({ operation }) => describe(operation));
  const others = allowed.length - DESCRIBED;
  return allowed.slice(0, DESCRIBED).join(" or ") + (others > 0 ? ` or ${others} more` : "");
}

function describe({ kind, value, end, error }: Operation): string {
  if (error < 0) return "what was found before";
  const state = end === Infinity ? "unanswered" : error === 0 ? "acknowledged" : "failed";
  return kind === "write" ? `${state} write ${value}` : `${state} ${kind}`;
}

/** It took effect by its end. What a TRIM leaves is up to the server, and it may leave it alone. */
function isCertain(operation: Operation): boolean {
  return hasSucceeded(operation) && operation.kind !== "trim";
}

/** After a failed write or a TRIM a block may hold either content, and change to the other one at any time. */
function isUnsettled(traces: readonly BlockTrace[], start: number): boolean {
  return traces.some(
    (trace) => (trace.operation.kind === "trim" || trace.operation.error !== 0) && !isReplaced(traces, trace, start),
  );
}

/** Whether some write gave the block this value, and no later one that was acknowledged before `start` took it away. */
function mayHold(traces: readonly BlockTrace[], value: number, start: number): boolean {
  return traces.some((trace) => {
    const { kind } = trace.operation;
    const hasIt = trace.operation.value === value || (kind === "trim" && value !== FOREIGN && value !== MIXED);
    return hasIt && !isReplaced(traces, trace, start);
  });
}

function isReplaced(traces: readonly BlockTrace[], trace: BlockTrace, start: number): boolean {
  return traces.some(
    ({ operation }) => isCertain(operation) && operation.start > trace.operation.end && operation.end < start,
  );
}

/** From the first moment at which a value was certainly there to the last, or the other way round if that is unknown. */
interface Zone {
  readonly minEnd: number;
  readonly maxStart: number;
}

function zoneOf({ operation, firstSeen, lastSeen }: BlockTrace): Zone | undefined {
  const minEnd = Math.min(firstSeen, isCertain(operation) ? operation.end : Infinity);
  // Nobody knows whether it ever took effect.
  if (minEnd === Infinity) return undefined;
  return { minEnd, maxStart: Math.max(operation.start, lastSeen) };
}

/** Gibbons and Korach: a value that must have been there all the time from one moment to another leaves no other one room. */
function fits(traces: readonly BlockTrace[], trace: BlockTrace, start: number, end: number): boolean {
  const { firstSeen, lastSeen } = trace;
  const zone = zoneOf({ ...trace, firstSeen: Math.min(firstSeen, end), lastSeen: Math.max(lastSeen, start) });
  if (zone === undefined || trace.operation.start > end) return false;
  return traces.every((other) => {
    const otherZone = other === trace ? undefined : zoneOf(other);
    return otherZone === undefined || !clash(zone, otherZone);
  });
}

function clash(one: Zone, other: Zone): boolean {
  return one.minEnd < other.maxStart && other.minEnd < one.maxStart;
}
