import type { Reply } from "../../src/disk.ts";
import { durabilityCounters } from "../../src/durability/durability-counters.ts";
import { LIMITS } from "../../src/limits.ts";
import type { Log } from "../../src/ports/log.ts";
import { COMMAND, NBD_ERROR, PORTABLE_PAYLOAD_BYTES } from "../../src/protocol/constants.ts";
import { ByteBudget } from "../../src/transport/byte-budget.ts";
import { Slab } from "../../src/transport/slab.ts";
import type { SlabPool } from "../../src/transport/slab-pool.ts";
import { Slice } from "../../src/transport/slice.ts";
import type { InFlight } from "../../src/upstream/in-flight.ts";
import type { RequestFlowOptions } from "../../src/upstream/request-flow-options.ts";
import { RequestFlow } from "../../src/upstream/request-flow.ts";
import type { UpstreamSession } from "../../src/upstream/upstream-session.ts";
import { ManualClock } from "../unit/support/manual-clock.ts";
import { ALL_FLAGS } from "../unit/support/negotiation.ts";
import type { KnowledgeBase } from "./block-knowledge.ts";
import { BlockObserver, type SentParts } from "./block-observer.ts";
import { ClientOperation, SHOWN } from "./client-operation.ts";
import { BLOCKS, OPERATION_KINDS, READ_KIND } from "./operation-kinds.ts";

/** How long a pin lasts, and how late a request of a lost connection may be carried out. */
const PIN_MS = 60_000;

/** Rounds in which the end of a history has to come; a few are enough. */
const ROUNDS = 1000;

const QUIET: Log = { debug: () => undefined, info: () => undefined, warning: () => undefined, error: () => undefined };
const SHOWN_DATA = new Slab(Buffer.alloc(BLOCKS, SHOWN));
const DONE: Reply = { error: 0, pieces: [], room: undefined };
const FAILED: Reply = { ...DONE, error: NBD_ERROR.EIO };
const SHOWN_REPLY: Reply = { ...DONE, pieces: [{ kind: "data", slice: new Slice(SHOWN_DATA, 0, BLOCKS, 0) }] };

/** A request as it was sent over one connection. */
export interface SentRequest extends SentParts {
  readonly entry: InFlight;
  readonly session: PlayedSession;
  /** Counts up over all of them. */
  readonly number: number;
}

/** A connection, as far as the flow knows. */
class PlayedSession {
  readonly geometry = { flags: ALL_FLAGS, maximumPayloadBytes: PORTABLE_PAYLOAD_BYTES };
  readonly #sent: (session: PlayedSession, entry: InFlight) => void;

  constructor(sent: (session: PlayedSession, entry: InFlight) => void) {
    this.#sent = sent;
  }

  send(entry: InFlight): void {
    entry.session = this as unknown as UpstreamSession;
    entry.wire = entry.session;
    this.#sent(this, entry);
  }
}

/** What a World is made of. */
export interface WorldOptions {
  /** For each block. */
  readonly bases: readonly KnowledgeBase[];
  /** Of small slabs. */
  readonly pool: SlabPool;
  readonly flow: Partial<Pick<RequestFlowOptions, "unflushed" | "pinMs">>;
  /** Is told every event of a block. */
  readonly noted?: (block: number, event: number) => void;
}

/** The real RequestFlow with a client, connections and a server that do what they are told, one step at a time. */
export class World {
  readonly operations: ClientOperation[] = [];
  readonly observer: BlockObserver;
  /** What was sent over this connection, or over the one that was lost, and is not answered. */
  sent: SentRequest[] = [];
  /** Requests that were sent so far. */
  sends = 0;
  connected = false;
  /** What went wrong that is not about one block. */
  #wrong: string | undefined;
  readonly #flow: RequestFlow;
  readonly #pool: SlabPool;
  readonly #clock = new ManualClock();
  readonly #budget = new ByteBudget(LIMITS.budgetBytes, LIMITS.budgetRequests);
  /** What runs that were given up have left in the pool. */
  readonly #strayBytes: number;
  #lostMs = 0;

  constructor({ bases, flow, noted, pool }: WorldOptions) {
    this.observer = new BlockObserver(bases, noted);
    this.#pool = pool;
    this.#strayBytes = pool.heldBytes;
    this.#flow = new RequestFlow({
      clock: this.#clock,
      log: QUIET,
      pool,
      budget: this.#budget,
      counters: durabilityCounters(),
      unflushed: "log",
      pinMs: PIN_MS,
      shared: false,
      recovered: () => undefined,
      ...flow,
    });
    this.#connect();
  }

  /** The first thing that went wrong. */
  get wrong(): string | undefined {
    return this.observer.wrong ?? this.#wrong;
  }

  /** Whether a timer is set. */
  get waits(): boolean {
    return this.#clock.pending > 0;
  }

  /** Whether an answer to a request would still be taken. */
  answerable({ entry, session }: SentRequest): boolean {
    return (entry.wire as unknown) === session && this.#flow.find(entry.cookieHigh, entry.cookieLow) === entry;
  }

  /** The client asks; `which` is the kind of operation. */
  submit(which: number): void {
    const kind = OPERATION_KINDS[which];
    if (kind === undefined) return;
    const operation = new ClientOperation(this.operations.length, kind, this.#pool, this.observer);
    this.operations.push(operation);
    this.observer.begun(operation, which);
    this.#flow.submit(operation, undefined);
  }

  /** The server answers a request; `failed` is for FLUSHes. */
  answer(request: SentRequest, failed: boolean): void {
    const { entry } = request;
    this.sent.splice(this.sent.indexOf(request), 1);
    this.observer.answered(entry, request, failed);
    const done = entry.command === COMMAND.READ ? SHOWN_REPLY : DONE;
    this.#flow.replied(entry, failed ? FAILED : done);
  }

  /** The connection is lost. */
  lose(): void {
    this.connected = false;
    this.#lostMs = this.#clock.nowMs();
    this.#flow.lost();
  }

  /** There is another one. Only now it is decided whether the server crashed meanwhile. */
  reconnect(): void {
    const unanswered = this.sent;
    this.sent = [];
    this.observer.reconnected(unanswered, this.#lostMs + PIN_MS);
    this.#connect();
  }

  /** Time passes until a timer makes the flow send something, or none is left. */
  wait(): void {
    const before = this.sends;
    for (let left = this.#clock.nextInMs; left !== undefined && this.sends === before; left = this.#clock.nextInMs) {
      this.observer.passed(this.#clock.nowMs() + left);
      this.#clock.advance(left);
    }
  }

  /** Lets everything come to its end, reads the disk, and looks whether anything is left behind. */
  finish(): void {
    this.#settle();
    this.submit(READ_KIND);
    this.#settle();
    this.observer.over();
    for (const { answers, number } of this.operations) {
      if (answers !== 1) this.#wrong ??= `operation ${number} was answered ${answers} times`;
    }
    const { held, unflushed } = this.#flow;
    const left: Readonly<Record<string, number>> = {
      "requests held": held,
      "fragments in the log": unflushed.entries,
      pins: unflushed.pins.count,
      "bytes of the budget": this.#budget.keptBytes,
      timers: this.#clock.pending,
      "bytes of the pool": this.#pool.heldBytes - this.#strayBytes,
    };
    for (const [what, count] of Object.entries(left)) if (count !== 0) this.#wrong ??= `left behind: ${count} ${what}`;
  }

  /** It threw. */
  failed(error: unknown): void {
    this.#wrong ??= String(error);
  }

  #connect(): void {
    this.connected = true;
    const session = new PlayedSession((one, entry) => {
      this.sends += 1;
      const { flushSlot, writes } = this.observer.sent(entry);
      this.sent.push({ entry, session: one, number: this.sends, flushSlot, writes });
    });
    this.#flow.connected(session as unknown as UpstreamSession);
  }

  #settle(): void {
    for (let round = 0; round < ROUNDS; round += 1) {
      const request = this.sent.find((one) => this.answerable(one));
      if (request !== undefined) this.answer(request, false);
      else if (this.waits) this.wait();
      else return;
    }
    this.#wrong ??= "it does not come to its end";
  }
}
