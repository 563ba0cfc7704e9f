import type { Finding } from "./finding.ts";

/** What clients did and saw for some time. */
export interface Tally {
  operations: number;
  bytesWritten: number;
  /** Read back, and checked. */
  bytesRead: number;
  /** Error replies by their number. */
  readonly errors: Map<number, number>;
  readonly findings: Finding[];
}

/** A tally of nothing. */
export function emptyTally(): Tally {
  return { operations: 0, bytesWritten: 0, bytesRead: 0, errors: new Map(), findings: [] };
}
