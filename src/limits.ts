/** Every limit of the program, each with its reason. Sizes in bytes, times in milliseconds. */
export const LIMITS = {
  /** One slab: a burst of sixteen 4 KiB requests fits, a 128 KiB one as well, and a pool of a few stays in the cache. */
  slabBytes: 256 * 1024,
  /**
   * Slabs kept for reuse when nobody needs them; more are left to the garbage collector. As many as half a budget is: what a
   * FLUSH makes the write log give back is what the next writes need, and fresh memory costs a page fault per 4 KiB.
   */
  idleSlabs: 256,
  /**
   * One half of V8's young generation, of which there may be three, in MiB. It was not slower with this than with the 64 that V8
   * takes by itself on Node.js 24, because what outlives a request is little.
   */
  youngHalfMiB: 8,
  /** A read into less room than this is not worth a system call: take the next slab. */
  readRoomBytes: 8 * 1024,

  /** Everything held for clients at once: payloads in flight and replies under way. Four of the largest requests. */
  budgetBytes: 128 * 1024 * 1024,
  /** Requests held at once over all clients, and fragments of the write log: what bounds the memory of many tiny ones. */
  budgetRequests: 16_384,
  /** Requests of one client in flight; Linux asks for 128 at most, qemu and libnbd for 16 to 64. */
  clientRequests: 1024,
  /** Reply bytes that one client may leave unread before its next requests wait. */
  clientBacklogBytes: 4 * 1024 * 1024,
  /** A payload up to this length is read and answered with an error; a longer one ends the connection. */
  discardPayloadBytes: 64 * 1024 * 1024,

  /** What one client may hold of the budget before its next requests wait: the others need some as well. */
  clientBytes: 64 * 1024 * 1024,
  /** A request that was begun must be whole within this time, */
  messageMs: 30_000,
  /** and its payload within as much more as it takes at this pace, 1 Mbit/s: who is slower can't use a disk. */
  payloadBytesPerMs: 128,

  /** The most clients that can be asked for: each has a slab to read into, 256 MiB for this many. */
  servedClients: 1024,
  /** The longest path of a UNIX socket: what the system's address has room for, without the final NUL. */
  socketPathBytes: 107,
  /** Connections that the system keeps before they are accepted: a burst of as many as may wait. */
  listenBacklog: 128,
  /** Clients that the embedded server takes at once: enough for every tool to open a few connections. */
  embeddedClients: 16,

  /** Clients that wait for their turn. */
  waitingClients: 128,
  /** What a waiting client may say before its hello; clients have nothing to say before it. */
  waitingBytes: 1024,

  /** Option data that is read; longer is skipped and answered ERR_TOO_BIG. */
  optionBytes: 64 * 1024,
  /** Option data that is skipped; longer ends the connection. */
  optionSkipBytes: 1024 * 1024,
  /** Options in one negotiation; libnbd and qemu need fewer than ten. */
  options: 64,
  /** Replies to one option that we asked for; a server with more exports than this has no need of a list from us. */
  optionReplies: 1024,
  /** Data of one option reply. */
  optionReplyBytes: 64 * 1024,

  /** A connection to the server must stand by then. */
  connectMs: 2_000,
  /** A whole handshake, on either side: half-open peers give their place back. */
  handshakeMs: 10_000,
  /** The first tries of an outage are this far apart, give or take `retryJitter`: most outages are restarts. */
  retryMs: 100,
  retryJitter: 0.2,
  /** After this time in an outage the distance doubles up to `--reconnect-interval-max`. */
  retryQuickForMs: 60_000,
  /** How long a silent connection is kept while another one to the same server works: its requests may just be slow. */
  patienceMs: 10_000,
  /** Attempts beside a silent connection that may go ungreeted in a row: one can be bad luck. */
  ungreetedAttempts: 2,
  /** A connection that was given up may take this long to finish what it was sent; its answers count until then. */
  retireMs: 10_000,
  /** A connection that stood this long, or answered a request, ends an outage: the next one starts with quick tries. */
  provenMs: 10_000,
  /** Requests in flight may take this long to finish when the proxy stops. */
  drainMs: 10_000,
  /** After DISC the server may take this long to close. */
  farewellMs: 1_000,
  /** TCP keepalive begins after this much silence. */
  keepAliveMs: 15_000,

  /** Answers are looked for without sleeping for so long: what a server in the same machine or rack takes, */
  pollingMs: 0.15,
  /** at first for so long. */
  pollingFirstMs: 0.03,
  /** After so many looks in vain, twice what an answer takes, whoever is to give it may be waiting for this very processor. */
  pollingTurnsAlone: 16,
  /** When he was let go first and takes this long, it was somebody with work of his own: a scheduler's slice or most of it. */
  pollingSliceMs: 0.7,
  /** Where nobody can be let go: one look takes a few microseconds; when it takes this long, somebody was using the processor. */
  pollingLookMs: 0.1,
  /** When that happens more often than at every 32nd answer or so, half of this, or twice in a row, */
  pollingCredit: 64,
  /** others are left alone for so long, */
  pollingPauseMs: 20,
  /** and when that is repeated, up to this. */
  pollingPauseMaxMs: 1_000,
  /** After so many turns of a conversation of two, there is only one who can speak next; he is looked at alone, */
  turnsTaken: 8,
  /** when what is said is shorter than this: it is copied, and longer things come in several reads, */
  closeLookBytes: 32 * 1024,
  /** with so many looks and answers in a row, a millisecond or so: then the event loop looks at all the others. */
  closeLooks: 512,
  closeAnswers: 32,
  /** As `pollingTurnsAlone`; these looks are shorter. */
  closeLooksAlone: 48,

  /** When the write log holds so much, and four times what it needs, the small parts of it are copied together. */
  logRepackBytes: 4 * 1024 * 1024,
  /** The oldest unflushed write may get this old before the server is told to flush. */
  flushAgeMs: 5_000,
  /**
   * A server that flushes within this time, beside what a write takes at the moment, keeps things in memory, or has a cache
   * that survives: it may be asked more often, */
  cheapFlushMs: 3,
  /** and 1024 writes of 4 KiB before a FLUSH take so long: where one write takes longer, it is not for the others before it. */
  cheapFlushQueueMs: 30,
  /** after so many unflushed bytes, which stay in the processor's cache on their way round, where the half of a budget does not. */
  cheapFlushBytes: 4 * 1024 * 1024,
  /** Of a replay so much is at the server at once: enough to keep it busy, */
  replayWindowBytes: 8 * 1024 * 1024,
  /** and so many requests, */
  replayWindowRequests: 256,
  /** each of neighbours up to this length. */
  replayRequestBytes: 512 * 1024,
  /** A server that refuses what it had acknowledged, or can't flush it, is asked again after this time, */
  refusedRetryMs: 100,
  /** then after twice as much, up to this, */
  refusedRetryMaxMs: 5_000,
  /** and when the pauses come to so much, writes fail. */
  refusedMs: 10_000,
  /** A request that was in flight at so many losses in a row, without an answer to any other between them, */
  poisonLosses: 5,
  /** over this time, may be what kills the server: */
  poisonMs: 60_000,
  /** it is sent alone, and given up when the connection is lost so many times more. */
  poisonAloneLosses: 2,

  /**
   * Extents of one context in one answer to BLOCK_STATUS; what a server says beyond is left out, and the client asks on from
   * there. Room for so many is reserved for each context, 32 KiB.
   */
  statusExtents: 4096,
  /** Metadata contexts that are used of a server; none is known to have more. */
  contexts: 16,
  /** Queries in one option about metadata contexts. */
  contextQueries: 64,
  /** A READ may be answered in one chunk for so many of its bytes, the smallest sector, */
  chunkBytes: 512,
  /** and in so many more. */
  chunks: 16,

  /** What the write cache of the embedded server holds before it writes some of it back. */
  writeCacheBytes: 64 * 1024 * 1024,
  /** File operations at once: a few more than the four threads that Node has for them; the rest would only hold memory. */
  fileOperations: 16,
  /** Zeros written to a file at a time: enough to be cheap, and soon done when the client has left. */
  fileZerosBytes: 1024 * 1024,
} as const;
