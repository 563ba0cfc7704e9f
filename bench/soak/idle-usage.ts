import type { ProcessVitals } from "./process-vitals.ts";

/** What a process uses while nobody wants anything of it. */
export interface IdleUsage {
  readonly cpuMsPerSecond: number;
  readonly wakeUpsPerSecond: number;
}

/** What was used between two looks, so many seconds apart. */
export function idleUsage(before: ProcessVitals, after: ProcessVitals, seconds: number): IdleUsage {
  return {
    cpuMsPerSecond: (after.cpuMs - before.cpuMs) / seconds,
    wakeUpsPerSecond: (after.waits - before.waits) / seconds,
  };
}
