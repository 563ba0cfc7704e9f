/** A write-like request's place in the gate, given out in the order of admission. */
export class GateTicket<Owner> {
  readonly owner: Owner;
  readonly start: number;
  readonly end: number;
  /** Neighbours in the order of admission. */
  earlier: GateTicket<Owner> | undefined;
  later: GateTicket<Owner> | undefined;
  /** Those that wait for this one to be answered; each ticket waits for one at a time. */
  waiters: GateTicket<Owner>[] | undefined;
  blocked = false;

  constructor(owner: Owner, start: number, end: number) {
    this.owner = owner;
    this.start = start;
    this.end = end;
  }
}

/**
 * Keeps overlapping write-like requests in the order of their admission: one may be sent only when no earlier admitted
 * one that overlaps is unanswered. Without it, two writes of one block in flight together may be carried out in either
 * order, and a resend may put the older one on top.
 */
export class OverlapGate<Owner> {
  #latest: GateTicket<Owner> | undefined;
  #waits = 0;

  /** Requests that had to wait so far. */
  get waits(): number {
    return this.#waits;
  }

  /** Admits the range [start, end). The ticket says whether it is blocked; a blocked one is freed by `answered` later. */
  admit(owner: Owner, start: number, end: number): GateTicket<Owner> {
    const ticket = new GateTicket(owner, start, end);
    const latest = this.#latest;
    ticket.earlier = latest;
    if (latest !== undefined) latest.later = ticket;
    this.#latest = ticket;
    ticket.blocked = this.#block(ticket);
    if (ticket.blocked) this.#waits += 1;
    return ticket;
  }

  /** The request was answered, or will never be sent. Returns the owners that may be sent now. */
  answered(ticket: GateTicket<Owner>): readonly Owner[] {
    const { earlier, later, waiters } = ticket;
    if (earlier !== undefined) earlier.later = later;
    if (later !== undefined) later.earlier = earlier;
    else this.#latest = earlier;
    if (ticket.blocked) this.#unblock(ticket);
    if (waiters === undefined) return NOBODY;
    const free: Owner[] = [];
    for (const waiter of waiters) {
      waiter.blocked = this.#block(waiter);
      if (!waiter.blocked) free.push(waiter.owner);
    }
    return free;
  }

  /** Lets the ticket wait for the latest earlier one that overlaps, if there is one: a chain, in which nobody is woken in vain. */
  #block(ticket: GateTicket<Owner>): boolean {
    for (let other = ticket.earlier; other !== undefined; other = other.earlier) {
      if (other.start < ticket.end && ticket.start < other.end) {
        (other.waiters ??= []).push(ticket);
        return true;
      }
    }
    return false;
  }

  /** A blocked ticket leaves: nobody may free it any more. */
  #unblock(ticket: GateTicket<Owner>): void {
    for (let other = ticket.earlier; other !== undefined; other = other.earlier) {
      const index = other.waiters?.indexOf(ticket) ?? -1;
      if (index < 0) continue;
      other.waiters?.splice(index, 1);
      return;
    }
  }
}

const NOBODY: readonly never[] = [];
