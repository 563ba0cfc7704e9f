import assert from "node:assert";

/** Someone who waits until a budget has room. */
export interface BudgetWaiter {
  budgetHasRoom(): void;
}

/**
 * What may be held in memory at once for everybody who shares it: bytes and requests. Those who find it used up wait, and are
 * woken in the order in which they came.
 */
export class ByteBudget {
  readonly #limitBytes: number;
  readonly #limitRequests: number;
  readonly #waiters = new Set<BudgetWaiter>();
  #heldBytes = 0;
  #heldRequests = 0;
  #waking = false;

  constructor(limitBytes: number, limitRequests: number) {
    this.#limitBytes = limitBytes;
    this.#limitRequests = limitRequests;
  }

  get heldBytes(): number {
    return this.#heldBytes;
  }

  get heldRequests(): number {
    return this.#heldRequests;
  }

  /**
   * Takes room for one request and its bytes, or answers false and remembers to wake the waiter. A request larger than the
   * whole budget passes when it is alone.
   */
  tryReserve(bytes: number, waiter: BudgetWaiter): boolean {
    // Whoever waits goes first, or a large request would never find room among many small ones.
    const first = this.#waiters.size === 0 || this.#waiters.values().next().value === waiter;
    const fits = this.#heldBytes + bytes <= this.#limitBytes || this.#heldRequests === 0;
    if (!first || !fits || this.#heldRequests >= this.#limitRequests) {
      this.#waiters.add(waiter);
      return false;
    }
    if (this.#waiters.delete(waiter)) this.#wakeSoon();
    this.#heldBytes += bytes;
    this.#heldRequests += 1;
    return true;
  }

  /** Whether anybody else waits for room. */
  othersWait(waiter: BudgetWaiter): boolean {
    return this.#waiters.size > (this.#waiters.has(waiter) ? 1 : 0);
  }

  /** Gives back what `requests` calls of `tryReserve` took, `bytes` in all. */
  release(bytes: number, requests: number): void {
    this.#heldBytes -= bytes;
    this.#heldRequests -= requests;
    assert(this.#heldBytes >= 0 && this.#heldRequests >= 0, "released more than was reserved");
    this.#wakeSoon();
  }

  /** Waits no longer. */
  forget(waiter: BudgetWaiter): void {
    if (this.#waiters.delete(waiter)) this.#wakeSoon();
  }

  /** Wakes the first waiter after this turn: it submits requests, which must not happen inside another's completion. */
  #wakeSoon(): void {
    if (this.#waking || this.#waiters.size === 0) return;
    this.#waking = true;
    queueMicrotask(() => {
      this.#waking = false;
      this.#waiters.values().next().value?.budgetHasRoom();
    });
  }
}
