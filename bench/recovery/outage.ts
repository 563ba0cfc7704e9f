/** One outage of a server, and what the client behind a contender saw of it. */
export interface Outage {
  /** From the server's end to the start of the next one. */
  readonly lengthMs: number;
  /** From the moment that the server listened again to the first reply; null when the client was told of the outage. */
  readonly recoveryMs: number | null;
  /** What the client was told: an error, or that its connection is lost. */
  readonly failure: string | null;
}
