import type { Reply } from "../../../src/disk.ts";
import { durabilityCounters } from "../../../src/durability/durability-counters.ts";
import { LIMITS } from "../../../src/limits.ts";
import { BASE_ALLOCATION, COMMAND, COMMAND_FLAG, PORTABLE_PAYLOAD_BYTES } from "../../../src/protocol/constants.ts";
import { ByteBudget } from "../../../src/transport/byte-budget.ts";
import { Slab } from "../../../src/transport/slab.ts";
import { SlabPool } from "../../../src/transport/slab-pool.ts";
import { Slice } from "../../../src/transport/slice.ts";
import type { InFlight } from "../../../src/upstream/in-flight.ts";
import type { RecoverySummary } from "../../../src/upstream/recovery.ts";
import type { RequestFlowOptions } from "../../../src/upstream/request-flow-options.ts";
import { RequestFlow } from "../../../src/upstream/request-flow.ts";
import type { UpstreamSession } from "../../../src/upstream/upstream-session.ts";
import { geometry } from "../support/held-disk.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { ALL_FLAGS } from "../support/negotiation.ts";
import { RecordingLog } from "../support/recording-log.ts";

/** A success without data. */
export const DONE: Reply = { error: 0, pieces: [], room: undefined };

/** A connection that notes what is sent over it. */
export class PlayedSession {
  readonly sent: InFlight[] = [];
  readonly geometry;
  #heard = 0;

  constructor(flags = ALL_FLAGS, maximumPayloadBytes = PORTABLE_PAYLOAD_BYTES) {
    this.geometry = geometry({ flags, maximumPayloadBytes });
  }

  send(entry: InFlight): void {
    entry.session = this as unknown as UpstreamSession;
    entry.wire = entry.session;
    this.sent.push(entry);
  }

  get offsets(): number[] {
    return this.sent.map(({ offset }) => offset);
  }

  /** What was sent, as text: command, flags, offset and length. */
  get lines(): string[] {
    return this.sent.map(({ command, flags, offset, length }) => `${command}/${flags} at ${offset}+${length}`);
  }

  /** What was sent since this was last asked, in words: `write 4 abc`, `read 0+8`, `flush`; a `!` behind it is FUA. */
  hear(): string[] {
    const heard = this.sent.slice(this.#heard).map((entry) => inWords(entry));
    this.#heard = this.sent.length;
    return heard;
  }
}

function inWords({ command, flags, offset, length, request }: InFlight): string {
  const text = Buffer.concat(request.payload.map((slice) => slice.bytes())).toString("latin1");
  const words: Readonly<Record<number, string>> = {
    [COMMAND.READ]: `read ${offset}+${length}`,
    [COMMAND.WRITE]: `write ${offset} ${text}`,
    [COMMAND.FLUSH]: "flush",
    [COMMAND.BLOCK_STATUS]: `status ${offset}+${length}`,
    [COMMAND.TRIM]: `trim ${offset}+${length}`,
    [COMMAND.WRITE_ZEROES]: `zeroes ${offset}+${length}`,
  };
  return (words[command] ?? `command ${command}`) + ((flags & COMMAND_FLAG.FUA) === 0 ? "" : "!");
}

/** A RequestFlow whose connections are the test. */
export function playFlow(options: Partial<RequestFlowOptions> = {}) {
  const clock = new ManualClock();
  const log = new RecordingLog();
  const pool = new SlabPool({ slabBytes: 4096, idleSlabs: 4, poison: true });
  const budget = new ByteBudget(LIMITS.budgetBytes, LIMITS.budgetRequests);
  const counters = durabilityCounters();
  const summaries: RecoverySummary[] = [];
  const flow = new RequestFlow({
    clock,
    log,
    pool,
    budget,
    counters,
    unflushed: "log",
    pinMs: 60_000,
    shared: false,
    recovered: (summary) => summaries.push(summary),
    ...options,
  });
  const connect = (flags?: number, maximumPayloadBytes?: number): PlayedSession => {
    const session = new PlayedSession(flags, maximumPayloadBytes);
    flow.connected(session as unknown as UpstreamSession);
    return session;
  };
  const reply = (session: PlayedSession, index: number, error = 0, more: Partial<Reply> = {}): void =>
    flow.replied(session.sent[index] as InFlight, { ...DONE, error, ...more });
  /** Answers everything that is sent over a connection, and what that leads to; a READ with dots. Returns it in words. */
  const serve = (session: PlayedSession): string[] => {
    const served: string[] = [];
    for (const entry of session.sent) {
      if (!answerable(session, entry)) continue;
      served.push(inWords(entry));
      flow.replied(entry, entry.command === COMMAND.READ ? readReply(".".repeat(entry.length)) : DONE);
    }
    session.hear();
    return served;
  };
  /** Answers a READ with this text. */
  const show = (session: PlayedSession, index: number, text: string): void =>
    flow.replied(session.sent[index] as InFlight, readReply(text));
  /** What a session asks before it hands an answer on: whether the request still waits for one over this connection. */
  const answerable = (session: PlayedSession, entry: InFlight): boolean =>
    (entry.wire as unknown) === session && flow.find(entry.cookieHigh, entry.cookieLow) === entry;
  /** Answers a BLOCK_STATUS with these extents (length and flags, …) of `base:allocation`. */
  const tell = (session: PlayedSession, index: number, ...extents: readonly number[]): void =>
    reply(session, index, 0, { statuses: [{ context: BASE_ALLOCATION, extents: Uint32Array.from(extents) }] });
  return { flow, connect, reply, serve, show, tell, answerable, clock, log, pool, budget, counters, summaries };
}

function readReply(text: string): Reply {
  const slab = new Slab(Buffer.from(text, "latin1"));
  return { ...DONE, pieces: [{ kind: "data", slice: new Slice(slab, 0, text.length, 0) }] };
}
