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
  readonly limitBytes: number;
  readonly #limitRequests: number;
  readonly #waiters = new Set<BudgetWaiter>();
  #heldBytes = 0;
  #heldRequests = 0;
  #keptBytes = 0;
  #keptEntries = 0;
  #waking = false;

  constructor(limitBytes: number, limitRequests: number) {
    this.limitBytes = limitBytes;
    this.#limitRequests = limitRequests;
  }

  get heldBytes(): number {
    return this.#heldBytes;
  }

  get heldRequests(): number {
    return this.#heldRequests;
  }

  /** Whether so much, kept beside the requests, would take half of it: time to keep less. */
  halfTaken(bytes: number, entries: number): boolean {
    return bytes >= this.limitBytes / 2 || entries >= this.#limitRequests / 2;
  }

  /** Bytes that are kept beside them. */
  get keptBytes(): number {
    return this.#keptBytes;
  }

  /**
   * Takes room for one request and its bytes, or answers false and remembers to wake the waiter. A request larger than the
   * whole budget passes when it is alone and nothing is kept. `keeps` is whether something will be kept of it: who asks for
   * nothing of the kind need not wait until less is.
   */
  tryReserve(bytes: number, waiter: BudgetWaiter, keeps = true): boolean {
    // Whoever waits goes first, or a large request would never find room among many small ones.
    const first = this.#waiters.size === 0 || this.#waiters.values().next().value === waiter;
    const alone = this.#heldRequests === 0 && (this.#keptEntries === 0 || !keeps);
    const fits = this.#heldBytes + this.#keptBytes + bytes <= this.limitBytes || (bytes === 0 && !keeps);
    const counts = this.#heldRequests + (keeps ? this.#keptEntries : 0) < this.#limitRequests;
    if (!first || !(alone || (fits && counts))) {
      this.#waiters.add(waiter);
      return false;
    }
    if (this.#waiters.size > 0 && this.#waiters.delete(waiter)) this.#wakeSoon();
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

  /** What is kept beside the requests, such as answered writes that are not flushed: so much from now on. */
  keep(bytes: number, entries: number): void {
    const less = bytes < this.#keptBytes || entries < this.#keptEntries;
    this.#keptBytes = bytes;
    this.#keptEntries = entries;
    if (less) this.#wakeSoon();
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
