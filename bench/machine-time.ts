import { cpus } from "node:os";

/** What all processors have done since the machine started, in milliseconds. */
export interface MachineTime {
  readonly busyMs: number;
  readonly idleMs: number;
}

/** The machine's time so far. */
export function machineTime(): MachineTime {
  let busyMs = 0;
  let idleMs = 0;
  for (const { times } of cpus()) {
    busyMs += times.user + times.nice + times.sys + times.irq;
    idleMs += times.idle;
  }
  return { busyMs, idleMs };
}

/** The share of the time between two looks that was busy, from 0 to 1. */
export function busyShare(before: MachineTime, after: MachineTime): number {
  const busyMs = after.busyMs - before.busyMs;
  const allMs = busyMs + after.idleMs - before.idleMs;
  return allMs === 0 ? 0 : busyMs / allMs;
}
