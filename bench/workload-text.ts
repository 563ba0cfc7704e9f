import type { Workload } from "./workload.ts";

const PATTERN_TEXT: Readonly<Record<Workload["pattern"], string>> = {
  randread: "random reads",
  randwrite: "random writes",
  read: "reads in sequence",
  write: "writes in sequence",
};

/** What one client does, in words. */
export function workloadText({ pattern, blockSizeBytes, depth }: Workload): string {
  const kib = blockSizeBytes / 1024;
  return `${PATTERN_TEXT[pattern]} of ${kib < 1024 ? `${kib} KiB` : `${kib / 1024} MiB`}, ${depth} in flight`;
}
