import type { DiskRequest } from "../disk.ts";
import type { GateTicket } from "../durability/overlap-gate.ts";
import type { Recoverable } from "../durability/recovery-order.ts";
import { COMMAND } from "../protocol/constants.ts";
import type { RequestHeader } from "../protocol/request-header.ts";
import type { UpstreamSession } from "./upstream-session.ts";

/** A request from its admission to its answer, over as many connections as that takes. Its cookie never changes. */
export class InFlight implements Recoverable, RequestHeader {
  readonly cookieHigh: number;
  readonly cookieLow: number;
  readonly admission: number;
  readonly command: number;
  readonly flags: number;
  readonly offset: number;
  readonly length: number;
  readonly request: DiskRequest;
  /** The handle that submitted it, to find what a user that leaves has left behind; undefined for our own. */
  readonly owner: object | undefined;
  readonly writeLike: boolean;
  /** Its place among overlapping writes. */
  ticket: GateTicket<InFlight> | undefined;
  /** The connection over which it, or its stand-in, was sent; undefined while it is held. */
  session: UpstreamSession | undefined;
  /** The connection over which it was sent itself and may be answered; it stays while the request waits for the next one. */
  wire: UpstreamSession | undefined;
  /** The batch of that connection's writer that it left with. */
  batch = 0;
  sentBefore = false;
  /** One step of another request that the server no longer understands; it ends with its connection. */
  step = false;

  constructor(
    cookieHigh: number,
    cookieLow: number,
    admission: number,
    request: DiskRequest,
    owner: object | undefined,
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
    this.writeLike = isWriteLike(request.command);
  }
}

/** Whether a command changes the content of the disk. */
function isWriteLike(command: number): boolean {
  return command === COMMAND.WRITE || command === COMMAND.WRITE_ZEROES || command === COMMAND.TRIM;
}
