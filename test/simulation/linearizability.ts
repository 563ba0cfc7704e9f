import { BROKEN, ZEROS } from "./block-content.ts";

/** One write of one block. */
export interface BlockWrite {
  readonly value: number;
  readonly start: number;
  readonly end: number;
  /** It was answered with success, so that it took effect by `end`. Otherwise it may have, by `end`, or not at all. */
  readonly certain: boolean;
}

/**
 * After it nothing is certain until a write that began after its end was acknowledged: it failed, so that its value and the one
 * before may be seen in turns; or it was a TRIM (without a value), so that anything older may be seen.
 */
export interface BlockDoubt {
  readonly value: number | undefined;
  readonly start: number;
  readonly end: number;
}

/** One answered read of one block. */
export interface BlockRead {
  readonly value: number;
  readonly start: number;
  readonly end: number;
}

/** What happened to one block, where its content is never in doubt. */
export interface BlockHistory {
  readonly writes: readonly BlockWrite[];
  readonly reads: readonly BlockRead[];
}

/** Everything that happened to one block. */
export interface DoubtfulHistory extends BlockHistory {
  readonly doubts: readonly BlockDoubt[];
  /** The block may be torn where it is in doubt. */
  readonly tears: boolean;
}

/**
 * Why the history of a block is not that of a single register; undefined when it is. Reads that a doubt explains say nothing,
 * and are left out.
 */
export function notLinearizable(history: DoubtfulHistory): string | undefined {
  const { writes, doubts } = history;
  const reads = doubts.length === 0 ? history.reads : history.reads.filter((read) => !inDoubt(history, read));
  const known = new Set(writes.map((write) => write.value));
  for (const { value } of reads) {
    if (value === BROKEN) return "a read returned bytes that nobody wrote like this";
    if (known.has(value)) continue;
    return doubts.some((doubt) => doubt.value === value)
      ? `a read returned ${value}, though its write had failed before a newer one was acknowledged`
      : `a read returned ${value}, which was never written`;
  }
  // Which write of zeros a read saw is only a question if one did.
  const ambiguous =
    reads.some((read) => read.value === ZEROS) && writes.filter((write) => write.value === ZEROS).length > 1;
  return ambiguous ? searchOrder({ writes, reads }) : compareZones({ writes, reads });
}

/** Whether a doubt explains what a read returned. */
function inDoubt(history: DoubtfulHistory, read: BlockRead): boolean {
  return history.doubts.some(
    (doubt) => doubt.start < read.end && !settled(history.writes, doubt, read) && explains(history, doubt, read),
  );
}

function settled(writes: readonly BlockWrite[], doubt: BlockDoubt, read: BlockRead): boolean {
  return writes.some(({ certain, start, end }) => certain && start > doubt.end && end < read.start);
}

function explains({ writes, doubts, tears }: DoubtfulHistory, doubt: BlockDoubt, { value, end }: BlockRead): boolean {
  if (doubt.value !== undefined) return doubt.value === value;
  if (value === BROKEN) return tears;
  const older = (write: { readonly value: number | undefined; readonly start: number }): boolean =>
    write.value === value && write.start < end;
  return value === ZEROS || writes.some(older) || doubts.some(older);
}

interface Zone {
  minEnd: number;
  maxStart: number;
}

/**
 * Decides for unique values (Gibbons and Korach): a value's zone lies between the first end and the last start of what
 * wrote and read it; zones of values that must have been there at the same time condemn the history.
 */
export function compareZones({ writes, reads }: BlockHistory): string | undefined {
  const forward: Zone[] = [];
  const backward: Zone[] = [];
  for (const write of writes) {
    const zone = { minEnd: write.end, maxStart: write.start };
    let seen = false;
    for (const read of reads) {
      if (read.value !== write.value) continue;
      if (read.end < write.start) return `a read returned ${read.value} before it was written`;
      seen = true;
      zone.minEnd = Math.min(zone.minEnd, read.end);
      zone.maxStart = Math.max(zone.maxStart, read.start);
    }
    if (!seen && !write.certain) continue;
    if (zone.minEnd < zone.maxStart) forward.push(zone);
    else backward.push(zone);
  }
  for (const [index, one] of forward.entries()) {
    const clash = (other: Zone): boolean => one.minEnd < other.maxStart && other.minEnd < one.maxStart;
    if (forward.some((other, place) => place > index && clash(other)) || backward.some(clash)) {
      return "no order of its writes explains the reads: an acknowledged write was lost, reordered or came back";
    }
  }
  return undefined;
}

/** Where a search stands: the block's value, and which of the pending ones have taken effect, as bits. */
interface Point {
  readonly value: number;
  readonly done: number;
}

/** One operation of a search; `seen`: somebody read what it wrote. */
interface Step {
  readonly isRead: boolean;
  readonly certain: boolean;
  readonly seen: boolean;
  readonly value: number;
  readonly start: number;
  readonly end: number;
}

/** Pending operations at once, and points, that a search can keep apart; beyond them it takes no side. */
const SLOTS = 31;
const MANY_POINTS = 20_000;

/**
 * Decides for any values: walks through the events and keeps every state that the block may be in (Wing and Gong, with effects
 * as late as possible). Histories too wide for it pass.
 */
export function searchOrder({ writes, reads }: BlockHistory): string | undefined {
  const readValues = new Set(reads.map((read) => read.value));
  const steps: readonly Step[] = [
    ...writes.map((write) => ({ ...write, isRead: false, seen: readValues.has(write.value) })),
    ...reads.map((read) => ({ ...read, isRead: true, seen: true, certain: true })),
  ].filter(({ certain, seen }) => certain || seen);
  const events = steps.flatMap((step) => [
    { at: step.start, begins: true, step },
    { at: step.end, begins: false, step },
  ]);
  events.sort((left, right) => left.at - right.at || Number(right.begins) - Number(left.begins));
  const pending: (Step | undefined)[] = [];
  let points: readonly Point[] = [{ value: BROKEN, done: 0 }];
  for (const { at, begins, step } of events) {
    if (at === Infinity) break;
    if (begins) {
      const free = pending.indexOf(undefined);
      const slot = free < 0 ? pending.length : free;
      if (slot >= SLOTS) return undefined;
      pending[slot] = step;
      if (step.isRead) points = points.map((point) => satisfied(pending, point));
      continue;
    }
    const slot = pending.indexOf(step);
    const after = pointsAfter(pending, points, slot);
    if (after === undefined) return undefined;
    if (after.length === 0) return "no order of its writes explains the reads (several of them write zeros)";
    points = after;
    pending[slot] = undefined;
  }
  return undefined;
}

/** Reads that see the value they returned are done at once: that never closes another way. */
function satisfied(pending: readonly (Step | undefined)[], { value, done }: Point): Point {
  let bits = done;
  for (const [slot, step] of pending.entries()) if (step?.isRead === true && step.value === value) bits |= 1 << slot;
  return { value, done: bits };
}

/** A write takes effect; those that nobody ever sees may as well have done so just before. */
function written(pending: readonly (Step | undefined)[], point: Point, place: number, value: number): Point {
  let done = point.done | (1 << place);
  for (const [slot, step] of pending.entries()) if (step?.seen === false) done |= 1 << slot;
  return satisfied(pending, { value, done });
}

/** Every state in which the operation of that slot is done when it is answered; undefined when there are too many. */
function pointsAfter(
  pending: readonly (Step | undefined)[],
  points: readonly Point[],
  slot: number,
): readonly Point[] | undefined {
  const bit = 1 << slot;
  const found = new Map<string, Point>();
  const reached = new Set<string>();
  const keep = ({ value, done }: Point): void => {
    const cleared = { value, done: done & ~bit };
    found.set(`${value} ${cleared.done}`, cleared);
  };
  if (pending[slot]?.certain === false) for (const point of points) keep(point);
  let open = points;
  while (open.length > 0) {
    const next: Point[] = [];
    for (const point of open) {
      if ((point.done & bit) !== 0) {
        keep(point);
        continue;
      }
      for (const [place, step] of pending.entries()) {
        if (step === undefined || step.isRead || (point.done & (1 << place)) !== 0) continue;
        if (!step.seen && place !== slot) continue;
        const after = written(pending, point, place, step.value);
        const key = `${after.value} ${after.done}`;
        if (reached.has(key)) continue;
        reached.add(key);
        next.push(after);
      }
    }
    if (reached.size > MANY_POINTS) return undefined;
    open = next;
  }
  return [...found.values()];
}
