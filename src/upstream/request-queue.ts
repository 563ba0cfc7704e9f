import type { DiskRequest, ErrorDetail } from "../disk.ts";
import { OverlapGate } from "../durability/overlap-gate.ts";
import { InFlightTable } from "./in-flight-table.ts";
import type { InFlight, InFlightKind } from "./in-flight.ts";

/** Whom a RequestQueue tells. */
export interface RequestQueueOptions {
  /** A request that waited for an overlapping one does not have to any more. */
  readonly freed: (entry: InFlight) => void;
  /** A request is about to be answered without the server. */
  readonly ending: (entry: InFlight) => void;
}

/** Every request from its admission to its answer, and the order of overlapping writes among them. */
export class RequestQueue {
  readonly table = new InFlightTable();
  readonly #gate = new OverlapGate<InFlight>();
  readonly #options: RequestQueueOptions;
  /** Freed and not told yet; undefined while nobody is being told. */
  #freed: InFlight[] | undefined;

  constructor(options: RequestQueueOptions) {
    this.#options = options;
  }

  /** Writes that had to wait for an overlapping one so far. */
  get gateWaits(): number {
    return this.#gate.waits;
  }

  /** Admits a request; a write-like one gets its place among overlapping ones. */
  admit(request: DiskRequest, owner: object | undefined, kind: InFlightKind): InFlight {
    const entry = this.table.add(request, owner, kind);
    if (entry.writeLike) entry.ticket = this.#gate.admit(entry, entry.offset, entry.offset + entry.length);
    return entry;
  }

  /** Whether a request is here and waits to be sent. */
  waits(entry: InFlight): boolean {
    const { awaitsFlush, cookieHigh, cookieLow, kind, session } = entry;
    const isHere = this.table.find(cookieHigh, cookieLow) === entry;
    return isHere && session === undefined && !awaitsFlush && kind !== "step";
  }

  /** What waits to be sent. */
  held(): readonly InFlight[] {
    return [...this.table].filter((entry) => this.waits(entry));
  }

  /** What is at the server. */
  sent(): readonly InFlight[] {
    return [...this.table].filter((entry) => entry.session !== undefined);
  }

  /** What is at the server, for users, to tell what is on the disk: READs and BLOCK_STATUS. */
  reads(): readonly InFlight[] {
    return this.sent().filter(({ kind, readLike }) => readLike && kind !== "step");
  }

  /** The request is answered, or given up: those that waited for it may go. */
  remove(entry: InFlight): void {
    this.table.remove(entry);
    this.release(entry);
  }

  /** Lets those go that waited for it. */
  release(entry: InFlight): void {
    const { ticket } = entry;
    entry.ticket = undefined;
    if (ticket === undefined) return;
    const freed = this.#gate.answered(ticket);
    // Nearly always nobody waited, and this is on the way of every write.
    if (freed.length > 0) this.#telling(() => this.#freed?.push(...freed));
  }

  /** Answers a request without an answer of the server to it. */
  end(entry: InFlight, error: number, detail?: ErrorDetail): void {
    // Who was answered just before may have dropped it.
    if (this.table.find(entry.cookieHigh, entry.cookieLow) !== entry) return;
    this.#options.ending(entry);
    this.remove(entry);
    const reply = { error, pieces: [], room: undefined };
    entry.request.complete(detail === undefined ? reply : { ...reply, detail });
  }

  /** Answers all of some requests, in the order of their admission. */
  endAll(wanted: (entry: InFlight) => boolean, error: number): void {
    const entries = [...this.table].filter((one) => wanted(one)).toSorted(byAdmission);
    // The end of one must not have the next one sent before it ends as well.
    this.#telling(() => {
      for (const entry of entries) this.end(entry, error);
    });
  }

  /**
   * The owner has left: answers what belongs to it, is not at a server, and need not be sent again, with an error. What is at a
   * server is `unwanted` from now on.
   */
  drop(owner: object, error: number): void {
    // The latest first: dropping one must not free the next of the same owner to be sent.
    for (const entry of [...this.table].toSorted(byAdmission).toReversed()) {
      if (entry.owner !== owner) continue;
      const mayHaveChangedDisk = entry.writeLike && entry.sentBefore && !entry.awaitsFlush;
      if (entry.session !== undefined) entry.unwanted = true;
      else if (!mayHaveChangedDisk) this.end(entry, error);
    }
  }

  /** Does something, then tells of all that it freed: one after the other, because each may be answered at once and free more. */
  #telling(work: () => void): void {
    if (this.#freed !== undefined) {
      work();
      return;
    }
    const freed: InFlight[] = [];
    this.#freed = freed;
    try {
      work();
      for (let next = freed.shift(); next !== undefined; next = freed.shift()) {
        if (this.waits(next)) this.#options.freed(next);
      }
    } finally {
      this.#freed = undefined;
    }
  }
}

function byAdmission(one: InFlight, other: InFlight): number {
  return one.admission - other.admission;
}
