import { LIMITS } from "../limits.ts";
import type { BudgetWaiter, ByteBudget } from "../transport/byte-budget.ts";

/** What one client has under way, within its own limits and within the budget that it shares with the others. */
export class ClientQuota {
  readonly #budget: ByteBudget;
  readonly #waiter: BudgetWaiter;
  #inFlight = 0;
  #reservedBytes = 0;

  /** `waiter` is woken when a request that found no room may be tried again. */
  constructor(budget: ByteBudget, waiter: BudgetWaiter) {
    this.#budget = budget;
    this.#waiter = waiter;
  }

  /** Requests that are not answered. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** Whether other clients wait for room. */
  get othersWait(): boolean {
    return this.#budget.othersWait(this.#waiter);
  }

  /** The client has enough requests in flight, or leaves too many answers unread. */
  crowded(backlogBytes: number): boolean {
    return (
      this.#inFlight >= LIMITS.clientRequests ||
      this.#reservedBytes >= LIMITS.clientBytes ||
      backlogBytes >= LIMITS.clientBacklogBytes
    );
  }

  /** Takes room for a request; false when there is none. `keeps` as in ByteBudget. */
  tryAdmit(bytes: number, backlogBytes: number, keeps = true): boolean {
    if (this.crowded(backlogBytes) || !this.#budget.tryReserve(bytes, this.#waiter, keeps)) return false;
    this.#inFlight += 1;
    this.#reservedBytes += bytes;
    return true;
  }

  /** A request was answered; its room is given back by `release`, when the answer has left. */
  answered(backlogBytes: number): void {
    this.#inFlight -= 1;
    // Whoever can't go on before the client reads must not stand in the way of those who can.
    if (this.crowded(backlogBytes)) this.stopWaiting();
  }

  /** A request will never be whole. */
  abandoned(bytes: number): void {
    this.#inFlight -= 1;
    this.release(bytes, 1);
  }

  /** The answers to so many requests have left. */
  release(bytes: number, requests: number): void {
    this.#reservedBytes -= bytes;
    this.#budget.release(bytes, requests);
  }

  /** Waits for room no longer. */
  stopWaiting(): void {
    this.#budget.forget(this.#waiter);
  }
}
