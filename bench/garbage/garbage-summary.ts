import type { Collection } from "./collection.ts";

/** What a program's heap has to do with its requests; null when there were too few collections to tell. */
export interface GarbageSummary {
  readonly bytesPerRequest: number | null;
  readonly scavengesPerSecond: number | null;
  /** Of the time, from 0 to 1, for which the program stood still. */
  readonly collectingShare: number | null;
}

/** With fewer, the time between the first and the last is too short to stand for the whole. */
const COLLECTIONS_MIN = 3;

/**
 * Sums up the collections during an even load. The time from the first to the last is what counts, since what was
 * allocated before the first and after the last is not known.
 */
export function summarizeGarbage(collections: readonly Collection[], operationsPerSecond: number): GarbageSummary {
  const [first, ...others] = collections;
  const last = others.at(-1);
  if (first === undefined || last === undefined || collections.length < COLLECTIONS_MIN || last.atMs === first.atMs) {
    return { bytesPerRequest: null, scavengesPerSecond: null, collectingShare: null };
  }
  const elapsedMs = last.atMs - first.atMs;
  const sum = (figure: (collection: Collection) => number): number =>
    others.reduce((total, collection) => total + figure(collection), 0);
  const bytesPerSecond = (sum(({ allocatedBytes }) => allocatedBytes) / elapsedMs) * 1000;
  return {
    bytesPerRequest: bytesPerSecond / operationsPerSecond,
    scavengesPerSecond: (sum(({ isScavenge }) => (isScavenge ? 1 : 0)) / elapsedMs) * 1000,
    collectingShare: sum(({ pauseMs }) => pauseMs) / elapsedMs,
  };
}
