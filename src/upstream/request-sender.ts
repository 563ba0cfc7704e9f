import assert from "node:assert";
import type { Reply } from "../disk.ts";
import { INVARIANTS } from "../durability/invariants.ts";
import { type Sendable, SendingOrder } from "../durability/sending-order.ts";
import { SentWrites } from "../durability/sent-writes.ts";
import type { Clock } from "../ports/clock.ts";
import type { Slice } from "../transport/slice.ts";
import type { InFlightTable } from "./in-flight-table.ts";
import type { InFlight } from "./in-flight.ts";
import { NBD_ERROR } from "../protocol/constants.ts";
import { inOneChunk, type Offer, type StandInStep, standInSteps, understands } from "./stand-in.ts";
import type { UpstreamSession } from "./upstream-session.ts";
import { WriteLatency } from "./write-latency.ts";

/** How a stand-in ends when all of it has succeeded. */
const DONE: Reply = { error: 0, pieces: [], room: undefined };

/** Puts requests on the connection, when their turn has come, and something else in place of what its server can't do. */
export class RequestSender {
  readonly order = new SendingOrder();
  readonly writes = new SentWrites();
  readonly latency: WriteLatency;
  readonly #table: InFlightTable;
  readonly #answered: (entry: InFlight, reply: Reply) => void;
  #session: UpstreamSession | undefined;

  /** `answered` is called when everything that was sent in place of a request is answered. */
  constructor(table: InFlightTable, clock: Clock, answered: (entry: InFlight, reply: Reply) => void) {
    this.#table = table;
    this.latency = new WriteLatency(clock);
    this.#answered = answered;
  }

  /** The connection, while there is one. */
  get session(): UpstreamSession | undefined {
    return this.#session;
  }

  /** There is a connection; who may send over it is up to `order`. */
  begin(session: UpstreamSession): void {
    this.#session = session;
  }

  /** The connection is gone. */
  end(): void {
    this.#session = undefined;
    this.order.phase = "away";
    this.writes.clear();
    this.latency.lost();
  }

  /** A request is answered, so that it is not at the server any more. */
  answered(entry: InFlight): void {
    this.writes.delete(entry);
    this.latency.answered(entry);
  }

  /** Sends a request; `room` is where its header may be written, if it has no payload. */
  send(entry: InFlight, room: Slice | undefined, what: Sendable): void {
    const session = this.#session;
    assert(session !== undefined && entry.session === undefined, "sent a request twice, or to nobody");
    INVARIANTS.check(this.order.maySend(what), "I3", `a ${what} was sent while ${this.order.phase}`);
    if (entry.writeLike) {
      this.writes.add(entry);
      this.latency.sent(entry);
    }
    const steps = stepsFor(entry, session.geometry);
    if (steps === undefined) {
      session.send(entry, room);
      return;
    }
    entry.session = session;
    // From now on its steps are answered; the same request may still be under way on a connection that was given up.
    entry.wire = undefined;
    this.#nextStep(entry, session, steps[Symbol.iterator](), DONE);
  }

  /** Sends a request of the proxy's own; `answered` is called unless the connection is lost first. */
  sendOwn(request: StandInStep, what: Sendable, answered: (reply: Reply) => void): void {
    this.send(this.#table.add({ ...request, complete: answered }, undefined, "own"), undefined, what);
  }

  /** Sends the next request of a stand-in; when none is left, or one fails, the request itself is answered. */
  #nextStep(entry: InFlight, session: UpstreamSession, steps: Iterator<StandInStep>, ended: Reply): void {
    const next = steps.next();
    if (next.done === true) {
      this.#answered(entry, ended);
      return;
    }
    const complete = (reply: Reply): void => {
      // What a READ or a BLOCK_STATUS asks for is in one reply, unless the server finds that too long: see `inOneChunk`.
      if (entry.readLike && reply.error === NBD_ERROR.EOVERFLOW) this.#nextStep(entry, session, steps, reply);
      else if (reply.error !== 0 || entry.readLike) this.#answered(entry, reply);
      else this.#nextStep(entry, session, steps, DONE);
    };
    const step = this.#table.add({ ...next.value, complete }, undefined, "step");
    const within = entry.offset <= step.offset && step.offset + step.length <= entry.offset + entry.length;
    INVARIANTS.check(!step.writeLike || within, "I2", "what stands in for a write is wider than the write");
    session.send(step, undefined);
  }
}

function stepsFor(entry: InFlight, offer: Offer): Iterable<StandInStep> | undefined {
  if (entry.instead !== undefined) return understood(entry.instead(offer), offer);
  const { command, flags, offset, length, request } = entry;
  if (!entry.sentBefore && understands(command, flags, offer)) return undefined;
  const asked = { command, flags, offset, length, payload: request.payload, room: undefined };
  const steps = standInSteps(asked, offer);
  return steps === undefined && entry.sentBefore ? inOneChunk(asked, offer) : steps;
}

function* understood(requests: Iterable<StandInStep>, offer: Offer): Generator<StandInStep> {
  for (const request of requests) yield* standInSteps(request, offer) ?? [request];
}
