import assert from "node:assert";
import type { DiskRequest } from "../disk.ts";
import { InFlight, type InFlightKind } from "./in-flight.ts";

/**
 * Every request between its admission and its answer, found by cookie. The low half of a cookie is a slot, the high half
 * counts the slot's uses, so that the cookie of an answered request finds nothing.
 */
export class InFlightTable {
  readonly #slots: (InFlight | undefined)[] = [];
  readonly #uses: number[] = [];
  readonly #free: number[] = [];
  #admissions = 0;
  #count = 0;

  /** How many requests it holds. */
  get count(): number {
    return this.#count;
  }

  /** Admits a request. */
  add(request: DiskRequest, owner: object | undefined, kind: InFlightKind = "user"): InFlight {
    const slot = this.#free.pop() ?? this.#slots.length;
    const uses = ((this.#uses[slot] ?? 0) + 1) >>> 0;
    this.#admissions += 1;
    const entry = new InFlight(uses, slot, this.#admissions, request, owner, kind);
    this.#slots[slot] = entry;
    this.#uses[slot] = uses;
    this.#count += 1;
    return entry;
  }

  /** The request with that cookie, if it is unanswered. */
  find(cookieHigh: number, cookieLow: number): InFlight | undefined {
    const entry = this.#slots[cookieLow];
    return entry?.cookieHigh === cookieHigh ? entry : undefined;
  }

  /** The request is answered, or given up. */
  remove(entry: InFlight): void {
    assert(this.#slots[entry.cookieLow] === entry, "removed a request that is not in flight");
    this.#slots[entry.cookieLow] = undefined;
    this.#free.push(entry.cookieLow);
    this.#count -= 1;
  }

  /** All of them, in no order. */
  *[Symbol.iterator](): Generator<InFlight> {
    for (const entry of this.#slots) if (entry !== undefined) yield entry;
  }
}
