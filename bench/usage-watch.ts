import { setTimeout as delay } from "node:timers/promises";

import { busyShare, machineTime } from "./machine-time.ts";
import { median } from "./median.ts";
import type { ProcessGroup } from "./process-groups.ts";
import { usageOfGroups } from "./process-usage.ts";

const POLL_MS = 250;

/** What can only be seen while something runs. */
export interface WatchedUsage {
  /** A process forked for one connection takes its peak with it when it ends. */
  readonly peakMemoryKib: number;
  /** The median over the polls, since around the measurement fio starts and ends and the machine has less to do. */
  readonly machineShare: number;
}

/** Looks at some groups and at the machine again and again until it is stopped. */
export function watchUsage(groups: readonly ProcessGroup[]): { stop(): Promise<WatchedUsage> } {
  const abort = new AbortController();
  const watch = async (): Promise<WatchedUsage> => {
    let peakMemoryKib = 0;
    const shares: number[] = [];
    let before = machineTime();
    while (!abort.signal.aborted) {
      if (groups.length > 0) peakMemoryKib = Math.max(peakMemoryKib, usageOfGroups(groups).peakMemoryKib);
      await delay(POLL_MS, undefined, { signal: abort.signal }).catch(() => undefined);
      const now = machineTime();
      // A poll that was cut short would count as much as the others.
      if (!abort.signal.aborted || shares.length === 0) shares.push(busyShare(before, now));
      before = now;
    }
    return { peakMemoryKib, machineShare: median(shares) ?? 0 };
  };
  const watching = watch();
  return {
    stop: () => {
      abort.abort();
      return watching;
    },
  };
}
