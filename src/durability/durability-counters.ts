/** What the rules that keep data safe have had to do, counted since the start. */
export interface DurabilityCounters {
  /** Recoveries after a lost connection that came to their end. */
  recoveries: number;
  /** Connections that followed a lost one whose end the server did not confirm: it may carry out late what it was sent. */
  unfencedReconnects: number;
  /** Requests that were sent again. */
  resentRequests: number;
  /** Times the log was written again, and what that came to. */
  replays: number;
  replayedFragments: number;
  replayedBytes: number;
  /** Replayed writes that the server refused. */
  refusedReplays: number;
  /** FLUSHes that no client asked for. */
  ownFlushes: number;
  failedFlushes: number;
  /** Errors of own FLUSHes that a client was told later. */
  latchedErrors: number;
  /** Ranges that were pinned. */
  pins: number;
  /** Requests given up because they seemed to kill the server. */
  poisonedRequests: number;
  /** Acknowledged bytes that had to be given up. */
  discardedBytes: number;
}

/** All of them, at zero. */
export function durabilityCounters(): DurabilityCounters {
  return {
    recoveries: 0,
    unfencedReconnects: 0,
    resentRequests: 0,
    replays: 0,
    replayedFragments: 0,
    replayedBytes: 0,
    refusedReplays: 0,
    ownFlushes: 0,
    failedFlushes: 0,
    latchedErrors: 0,
    pins: 0,
    poisonedRequests: 0,
    discardedBytes: 0,
  };
}
