import type { DiskRequest } from "../disk.ts";
import type { LossStreak } from "../durability/loss-streak.ts";
import type { GateTicket } from "../durability/overlap-gate.ts";
import type { Recoverable } from "../durability/recovery-order.ts";
import { COMMAND } from "../protocol/constants.ts";
import { isWriteLike } from "../protocol/is-write-like.ts";
import type { RequestHeader } from "../protocol/request-header.ts";
import type { Offer, StandInStep } from "./stand-in.ts";
import type { UpstreamSession } from "./upstream-session.ts";

/**
 * Whose request it is. `user`: it lives until it is answered. `own`: the proxy's, which ends with its connection. `step`: part
 * of what stands in for another one, which ends with its connection as well.
 */
export type InFlightKind = "user" | "own" | "step";

/** A request from its admission to its answer, over as many connections as that takes. Its cookie never changes. */
export class InFlight implements Recoverable, RequestHeader {
  readonly cookieHigh: number;
  readonly cookieLow: number;
  readonly admission: number;
  readonly command: number;
  /** Those of the request, and what is added to each. */
  flags: number;
  readonly offset: number;
  readonly length: number;
  readonly request: DiskRequest;
  /** The handle that submitted it, to find what a user that leaves has left behind; undefined for our own. */
  readonly owner: object | undefined;
  readonly kind: InFlightKind;
  readonly writeLike: boolean;
  /** Its answer tells what is on the disk. */
  readonly readLike: boolean;
  /** Its place among overlapping writes. */
  ticket: GateTicket<InFlight> | undefined;
  /** What is sent instead of it, asked for when its turn has come, as far as the server's offer goes. */
  instead: ((offer: Offer) => Iterable<StandInStep>) | undefined;
  /** The connection over which it, or its stand-in, was sent; undefined while it is held. */
  session: UpstreamSession | undefined;
  /** The connection over which it was sent itself and may be answered; it stays while the request waits for the next one. */
  wire: UpstreamSession | undefined;
  /** The batch of that connection's writer that it left with. */
  batch = 0;
  sentBefore = false;
  /** Its owner has left: unless it may have changed the disk, it is not sent again. */
  unwanted = false;
  /** It is sent no more: it is answered when everything acknowledged so far is flushed. */
  awaitsFlush = false;
  /** The losses that it was part of. */
  losses: LossStreak | undefined;

  constructor(
    cookieHigh: number,
    cookieLow: number,
    admission: number,
    request: DiskRequest,
    owner: object | undefined,
    kind: InFlightKind,
  ) {
    this.cookieHigh = cookieHigh;
    this.cookieLow = cookieLow;
    this.admission = admission;
    this.command = request.command;
    this.flags = request.flags;
    this.offset = request.offset;
    this.length = request.length;
    this.request = request;
    this.owner = owner;
    this.kind = kind;
    this.writeLike = isWriteLike(request.command);
    this.readLike = request.command === COMMAND.READ || request.command === COMMAND.BLOCK_STATUS;
  }
}
