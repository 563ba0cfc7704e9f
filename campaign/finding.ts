/** A block that did not hold what it must. */
export interface Finding {
  /**
   * Older content than it may; content of another block; parts of several that nobody was writing; bytes that no client
   * has written; a failed verification of fio's.
   */
  readonly kind: "lost" | "misplaced" | "mixed" | "foreign" | "unverified";
  readonly block: number;
  readonly text: string;
}
