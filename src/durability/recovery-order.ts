/** What the order of a recovery depends on. */
export interface Recoverable {
  /** Counts up over all requests of the export, in the order in which they were admitted. */
  readonly admission: number;
  readonly writeLike: boolean;
  /** It was sent over an earlier connection: the server may have carried it out, in part or whole. */
  readonly sentBefore: boolean;
}

/** The two steps of a recovery; the second begins when everything of the first is answered. */
export interface RecoveryOrder<Request> {
  readonly first: readonly Request[];
  readonly afterwards: readonly Request[];
}

/**
 * In which order held requests go to a server that is back: first the write-like ones that were sent before, then all others,
 * each in the order of admission. A read that passed a write sent before could show data that the resend then changes
 * back.
 */
export function recoveryOrder<Request extends Recoverable>(held: Iterable<Request>): RecoveryOrder<Request> {
  const admitted = [...held].toSorted((one, other) => one.admission - other.admission);
  const first = admitted.filter((request) => request.writeLike && request.sentBefore);
  const afterwards = admitted.filter((request) => !(request.writeLike && request.sentBefore));
  return { first, afterwards };
}
