/** A moment at which the server is killed, in bytes copied, and how long it stays away. */
export interface PlannedKill {
  readonly atBytes: number;
  readonly outageMs: number;
}

/** How much is copied, and where the server is killed on the way there and on the way back. */
export interface DemoPlan {
  readonly sizeBytes: number;
  readonly writing: readonly PlannedKill[];
  readonly reading: readonly PlannedKill[];
}

/** One request. */
export const BLOCK_BYTES = 128 * 1024;
/** Requests under way at once, and sent together. */
export const BURST_BLOCKS = 16;
/** How long the way there, or back, takes without the outages: long enough to watch. */
export const LEG_MS = 4500;

const BURST_BYTES = BURST_BLOCKS * BLOCK_BYTES;
const MIB = 1024 * 1024;
const LARGEST_BYTES = 256 * MIB;
const SMALLEST_BYTES = 32 * MIB;

/** The largest amount that leaves half of the free space free; undefined when there is not enough for the smallest. */
export function demoSizeBytes(freeBytes: number): number | undefined {
  for (let sizeBytes = LARGEST_BYTES; sizeBytes >= SMALLEST_BYTES; sizeBytes /= 2) {
    if (2 * sizeBytes <= freeBytes) return sizeBytes;
  }
  return undefined;
}

/** The plan for an amount: the same at every run. */
export function demoPlan(sizeBytes: number): DemoPlan {
  const kill = (share: number, outageMs: number): PlannedKill => {
    const bursts = Math.floor((share * sizeBytes) / BURST_BYTES);
    // In the middle of a burst, so that some of its requests are answered and some are not.
    return { atBytes: bursts * BURST_BYTES + BURST_BYTES / 2, outageMs };
  };
  return {
    sizeBytes,
    writing: [kill(0.1, 800), kill(0.3, 300), kill(0.5, 1500), kill(0.7, 500), kill(0.9, 2000)],
    reading: [kill(0.2, 1000), kill(0.5, 300), kill(0.8, 700)],
  };
}
