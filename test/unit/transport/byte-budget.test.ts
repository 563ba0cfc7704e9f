import { describe, expect, it } from "vitest";

import { ByteBudget, type BudgetWaiter } from "../../../src/transport/byte-budget.ts";
import { settle } from "../support/settle.ts";

/** Wants room for requests of these sizes, one after the other, and takes what it gets. */
class Wanting implements BudgetWaiter {
  readonly got: number[] = [];
  wakes = 0;
  readonly #budget: ByteBudget;
  readonly #wanted: number[];

  constructor(budget: ByteBudget, ...wanted: number[]) {
    this.#budget = budget;
    this.#wanted = wanted;
    this.#take();
  }

  budgetHasRoom(): void {
    this.wakes += 1;
    this.#take();
  }

  #take(): void {
    for (let bytes = this.#wanted[0]; bytes !== undefined; bytes = this.#wanted[0]) {
      if (!this.#budget.tryReserve(bytes, this)) return;
      this.#wanted.shift();
      this.got.push(bytes);
    }
  }
}

describe("ByteBudget", () => {
  it("counts what is held", () => {
    const budget = new ByteBudget(100, 10);
    const one = new Wanting(budget, 60, 40);
    expect(one.got).toEqual([60, 40]);
    expect([budget.heldBytes, budget.heldRequests]).toEqual([100, 2]);
    budget.release(100, 2);
    expect([budget.heldBytes, budget.heldRequests]).toEqual([0, 0]);
  });

  it("lets those wait who find it used up, and wakes them later, not during the release", async () => {
    const budget = new ByteBudget(100, 10);
    const one = new Wanting(budget, 100);
    const other = new Wanting(budget, 1);
    expect(other.got).toEqual([]);
    budget.release(100, 1);
    expect(other.got).toEqual([]);
    await settle();
    expect(other.got).toEqual([1]);
    expect(one.wakes).toBe(0);
  });

  it("limits the number of requests, however small", async () => {
    const budget = new ByteBudget(100, 2);
    const many = new Wanting(budget, 0, 0, 0);
    expect(many.got).toHaveLength(2);
    budget.release(0, 1);
    await settle();
    expect(many.got).toHaveLength(3);
  });

  it("serves in the order in which they came: small requests do not pass a large one that waits", async () => {
    const budget = new ByteBudget(100, 10);
    const first = new Wanting(budget, 50, 50);
    const large = new Wanting(budget, 80);
    const small = new Wanting(budget, 5);
    budget.release(50, 1);
    await settle();
    const newcomer = new Wanting(budget, 5);
    expect([large.got, small.got, newcomer.got]).toEqual([[], [], []]);
    budget.release(50, 1);
    await settle();
    expect([first.got, large.got, small.got, newcomer.got]).toEqual([[50, 50], [80], [5], [5]]);
  });

  it("wakes the next in line when the first has got what it wanted", async () => {
    const budget = new ByteBudget(100, 10);
    const held = new Wanting(budget, 100);
    const waiters = [10, 20, 30, 40].map((bytes) => new Wanting(budget, bytes));
    budget.release(100, 1);
    await settle();
    expect(waiters.map(({ got }) => got)).toEqual([[10], [20], [30], [40]]);
    expect(held.got).toEqual([100]);
    expect(budget.heldBytes).toBe(100);
  });

  it("lets a request larger than the whole budget pass when it is alone", async () => {
    const budget = new ByteBudget(100, 10);
    const small = new Wanting(budget, 1);
    const huge = new Wanting(budget, 5000);
    expect(huge.got).toEqual([]);
    budget.release(1, 1);
    await settle();
    expect(huge.got).toEqual([5000]);
    const next = new Wanting(budget, 0);
    expect(next.got).toEqual([]);
    budget.release(5000, 1);
    await settle();
    expect(next.got).toEqual([0]);
    expect(small.got).toEqual([1]);
  });

  it("forgets who does not wait any more, and wakes the one behind", async () => {
    const budget = new ByteBudget(100, 10);
    const held = new Wanting(budget, 60);
    const gone = new Wanting(budget, 100);
    const behind = new Wanting(budget, 40);
    budget.forget(gone);
    await settle();
    expect([held.got, gone.got, behind.got]).toEqual([[60], [], [40]]);
  });

  it("does nothing when it forgets somebody who did not wait", async () => {
    const budget = new ByteBudget(100, 10);
    const held = new Wanting(budget, 100);
    const waiting = new Wanting(budget, 1);
    budget.forget(held);
    await settle();
    expect(waiting.wakes).toBe(0);
  });

  it("knows whether anybody else waits", async () => {
    const budget = new ByteBudget(100, 10);
    const held = new Wanting(budget, 100);
    expect(budget.othersWait(held)).toBe(false);
    const waiting = new Wanting(budget, 1);
    expect([budget.othersWait(held), budget.othersWait(waiting)]).toEqual([true, false]);
    const third = new Wanting(budget, 1);
    expect(budget.othersWait(waiting)).toBe(true);
    budget.release(100, 1);
    await settle();
    expect([waiting, third].map((one) => budget.othersWait(one))).toEqual([false, false]);
  });

  it("counts what is kept beside the requests, in bytes and in number", async () => {
    const budget = new ByteBudget(100, 10);
    budget.keep(60, 8);
    expect(budget.keptBytes).toBe(60);
    const large = new Wanting(budget, 41);
    expect(large.got).toEqual([]);
    budget.keep(59, 8);
    expect(large.got).toEqual([]);
    await settle();
    expect(large.got).toEqual([41]);
    budget.release(41, 1);
    const many = new Wanting(budget, 0, 0, 0);
    expect(many.got).toEqual([0, 0]);
    budget.keep(59, 7);
    await settle();
    expect(many.got).toEqual([0, 0, 0]);
    expect([budget.heldBytes, budget.heldRequests]).toEqual([0, 3]);
  });

  it("lets those in of whom nothing is kept, though the log is full", () => {
    const budget = new ByteBudget(100, 10);
    budget.keep(500, 50);
    const waiter = { budgetHasRoom: () => expect.unreachable() };
    expect(budget.tryReserve(1, waiter, true)).toBe(false);
    budget.forget(waiter);
    // A FLUSH, which makes room, and one READ at a time.
    expect(budget.tryReserve(0, waiter, false)).toBe(true);
    expect(budget.tryReserve(1, waiter, false)).toBe(false);
    budget.forget(waiter);
    budget.release(0, 1);
    expect(budget.tryReserve(5000, waiter, false)).toBe(true);
    expect(budget.heldRequests).toBe(1);
  });

  it("wakes nobody when more is kept", async () => {
    const budget = new ByteBudget(100, 10);
    budget.keep(100, 1);
    const waiting = new Wanting(budget, 1);
    budget.keep(200, 2);
    budget.keep(200, 2);
    await settle();
    expect([waiting.wakes, waiting.got]).toEqual([0, []]);
  });

  it("lets a request larger than the whole budget pass only when nothing is kept", async () => {
    const budget = new ByteBudget(100, 10);
    budget.keep(1, 1);
    const huge = new Wanting(budget, 5000);
    expect(huge.got).toEqual([]);
    budget.keep(0, 0);
    await settle();
    expect(huge.got).toEqual([5000]);
  });

  it.each([
    [49, 4, false],
    [50, 0, true],
    [0, 5, true],
  ])("says whether %d bytes and %d entries are half of it: %s", (bytes, entries, half) => {
    expect(new ByteBudget(100, 10).halfTaken(bytes, entries)).toBe(half);
  });

  it("asserts that nothing is released that was not reserved", () => {
    expect(() => new ByteBudget(100, 10).release(1, 0)).toThrow("released more than was reserved");
    expect(() => new ByteBudget(100, 10).release(0, 1)).toThrow("released more than was reserved");
  });
});
