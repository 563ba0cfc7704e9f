import assert from "node:assert";
import type { DiskRequest, Reply } from "../disk.ts";
import { OverlapGate } from "../durability/overlap-gate.ts";
import { recoveryOrder } from "../durability/recovery-order.ts";
import { COMMAND } from "../protocol/constants.ts";
import type { Slice } from "../transport/slice.ts";
import { InFlightTable } from "./in-flight-table.ts";
import type { InFlight } from "./in-flight.ts";
import { type StandInStep, standInSteps } from "./stand-in.ts";
import type { UpstreamSession } from "./upstream-session.ts";

/**
 * Every request of an export on its way to the server, over one connection after the other. While there is none, requests
 * are held; a new one is given the held requests in the order of `recoveryOrder`. Overlapping writes are never at the
 * server together.
 */
export class RequestFlow {
  readonly #table = new InFlightTable();
  readonly #gate = new OverlapGate<InFlight>();
  #session: UpstreamSession | undefined;
  /** Resent writes that must be answered before anything else may be sent. */
  #resending: Set<InFlight> = new Set();

  /** Requests that are not answered. */
  get held(): number {
    return this.#table.count;
  }

  /** Whether requests are sent as they come. */
  get open(): boolean {
    return this.#session !== undefined && this.#resending.size === 0;
  }

  /** Admits a request; `owner` is who may `drop` it. */
  submit(request: DiskRequest, owner: object | undefined): void {
    const entry = this.#table.add(request, owner);
    if (entry.writeLike) entry.ticket = this.#gate.admit(entry, entry.offset, entry.offset + entry.length);
    if (this.open && entry.ticket?.blocked !== true) this.#send(entry, request.room);
  }

  /** The request that waits for that cookie's reply. */
  find(cookieHigh: number, cookieLow: number): InFlight | undefined {
    return this.#table.find(cookieHigh, cookieLow);
  }

  /** The server answered. */
  replied(entry: InFlight, reply: Reply): void {
    this.#remove(entry);
    entry.request.complete(reply);
    if (this.#resending.delete(entry) && this.#resending.size === 0) this.#sendHeld();
  }

  /** There is a connection: what is held goes first. */
  connected(session: UpstreamSession): void {
    this.#session = session;
    const { first } = recoveryOrder(this.#table);
    this.#resending = new Set(first);
    for (const entry of first) this.#send(entry, undefined);
    if (this.open) this.#sendHeld();
  }

  /** The connection is gone: what was sent over it is held again. */
  lost(): void {
    this.#session = undefined;
    this.#resending = new Set();
    for (const entry of this.#table) {
      if (entry.session === undefined) continue;
      entry.session = undefined;
      entry.sentBefore = true;
      // A step ends with its connection; the request it stood in for begins again.
      if (entry.step) this.#table.remove(entry);
    }
  }

  /** Answers everything that is held with an error and forgets it. There must be no connection. */
  fail(error: number): void {
    assert(this.#session === undefined, "gave up requests that a server may be answering");
    for (const entry of [...this.#table].toSorted(byAdmission)) this.#end(entry, error);
  }

  /** Answers what belongs to this owner, was not sent, and need not be sent again, with an error. */
  drop(owner: object, error: number): void {
    // The latest first: dropping one must not free the next of the same owner to be sent.
    for (const entry of [...this.#table].toSorted(byAdmission).toReversed()) {
      const mayHaveChangedDisk = entry.writeLike && entry.sentBefore;
      if (entry.owner === owner && entry.session === undefined && !mayHaveChangedDisk) this.#end(entry, error);
    }
  }

  #end(entry: InFlight, error: number): void {
    this.#remove(entry);
    entry.request.complete({ error, pieces: [], room: undefined });
  }

  /** Takes the request out and lets those that waited for it go. */
  #remove(entry: InFlight): void {
    this.#table.remove(entry);
    if (entry.ticket === undefined) return;
    const freed = this.#gate.answered(entry.ticket);
    if (this.open) for (const next of freed) this.#send(next, undefined);
  }

  #sendHeld(): void {
    for (const entry of recoveryOrder(this.#table).afterwards) {
      const sendable = entry.session === undefined && entry.ticket?.blocked !== true;
      if (sendable && this.open) this.#send(entry, undefined);
    }
  }

  #send(entry: InFlight, room: Slice | undefined): void {
    const session = this.#session;
    assert(session !== undefined && entry.session === undefined, "sent a request twice, or to nobody");
    const steps = standInSteps(entry.request, session.geometry.flags);
    if (steps === undefined) {
      session.send(entry, room);
      return;
    }
    entry.session = session;
    // From now on its steps are answered; the same request may still be under way on a connection that was given up.
    entry.wire = undefined;
    this.#nextStep(entry, session, steps[Symbol.iterator]());
  }

  /** Sends the next request of a stand-in; when none is left, or one fails, the request itself is answered. */
  #nextStep(entry: InFlight, session: UpstreamSession, steps: Iterator<StandInStep>): void {
    const next = steps.next();
    if (next.done === true) {
      this.replied(entry, { error: 0, pieces: [], room: undefined });
      return;
    }
    const step = this.#table.add(
      {
        ...next.value,
        complete: (reply) => {
          // The data of a READ is in the reply to its only step.
          const isLast = reply.error !== 0 || entry.command === COMMAND.READ;
          if (isLast) this.replied(entry, reply);
          else this.#nextStep(entry, session, steps);
        },
      },
      undefined,
    );
    step.step = true;
    session.send(step, undefined);
  }
}

function byAdmission(one: InFlight, other: InFlight): number {
  return one.admission - other.admission;
}
