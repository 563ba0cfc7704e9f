import type { Workload } from "../workload.ts";

/** How many clients at once are tried. */
export const CLIENT_COUNTS: readonly number[] = [1, 4, 16, 64];

const KIB = 1024;

/** What each client does. Large blocks are read at random as well, so that no two clients follow each other. */
export const SCALE_WORKLOADS: readonly Workload[] = [
  { name: "read-4k-d4", pattern: "randread", blockSizeBytes: 4 * KIB, depth: 4 },
  { name: "write-4k-d4", pattern: "randwrite", blockSizeBytes: 4 * KIB, depth: 4 },
  { name: "read-128k-d4", pattern: "randread", blockSizeBytes: 128 * KIB, depth: 4 },
];

/** The workload with so many clients, and with that in its name. */
export function withClients(workload: Workload, clients: number): Workload {
  return { ...workload, name: `${workload.name}-c${clients}`, clients };
}

/** True for a workload that changes the disk. */
export function writes({ pattern }: Workload): boolean {
  return pattern === "write" || pattern === "randwrite";
}
