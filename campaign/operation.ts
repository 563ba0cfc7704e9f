/** What a client asked for and what it was told. Blocks are of 512 bytes; moments are places in one order of all events. */
export interface Operation {
  readonly kind: "read" | "write" | "zeroes" | "trim" | "flush";
  readonly firstBlock: number;
  readonly blocks: number;
  readonly fua: boolean;
  /** What a write puts into its blocks, used only once; 0 for all others, of which WRITE_ZEROES means it. */
  readonly value: number;
  readonly start: number;
  /** Infinity while it is not answered. */
  end: number;
  /** The error that it was answered with; 0 for success. */
  error: number;
}

/** What is wanted, before it has begun. */
export type WantedOperation = Pick<Operation, "kind" | "firstBlock" | "blocks" | "fua">;

/** Whether it changes what the disk holds. */
export function isWriteLike({ kind }: WantedOperation): boolean {
  return kind === "write" || kind === "zeroes" || kind === "trim";
}

/** Whether it was answered with success. */
export function hasSucceeded({ end, error }: Operation): boolean {
  return end !== Infinity && error === 0;
}
