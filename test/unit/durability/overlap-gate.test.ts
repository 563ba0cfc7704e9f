import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { type GateTicket, OverlapGate } from "../../../src/durability/overlap-gate.ts";

describe("OverlapGate", () => {
  it("lets writes pass that do not overlap, touching ones among them", () => {
    const gate = new OverlapGate<string>();
    expect(gate.admit("a", 0, 10).blocked).toBe(false);
    expect(gate.admit("b", 10, 20).blocked).toBe(false);
    expect(gate.admit("c", 30, 40).blocked).toBe(false);
    expect(gate.waits).toBe(0);
  });

  it("keeps a write back until the earlier one that it overlaps is answered", () => {
    const gate = new OverlapGate<string>();
    const first = gate.admit("first", 0, 10);
    const second = gate.admit("second", 9, 12);
    expect([first.blocked, second.blocked, gate.waits]).toEqual([false, true, 1]);
    expect(gate.answered(first)).toEqual(["second"]);
    expect(second.blocked).toBe(false);
    expect(gate.answered(second)).toEqual([]);
  });

  it("frees writes of one block one after the other", () => {
    const gate = new OverlapGate<number>();
    const tickets = Array.from({ length: 5 }, (_, index) => gate.admit(index, 0, 1));
    const freed = tickets.map((ticket) => gate.answered(ticket));
    expect(freed).toEqual([[1], [2], [3], [4], []]);
  });

  it("frees many at once when they waited for the same one only", () => {
    const gate = new OverlapGate<string>();
    const wide = gate.admit("wide", 0, 100);
    for (const at of [0, 10, 20]) gate.admit(`at ${at}`, at, at + 10);
    expect(gate.answered(wide)).toEqual(["at 0", "at 10", "at 20"]);
  });

  it("keeps a write back that overlaps two, until both are answered, in either order", () => {
    for (const order of [
      [0, 1],
      [1, 0],
    ] as const) {
      const gate = new OverlapGate<string>();
      const tickets = [gate.admit("left", 0, 10), gate.admit("right", 10, 20)];
      gate.admit("both", 5, 15);
      const freed = order.map((index) => gate.answered(tickets[index] as GateTicket<string>));
      expect(freed).toEqual([[], ["both"]]);
    }
  });

  it("lets those go that waited for one that leaves unsent, unless another is in their way", () => {
    const gate = new OverlapGate<string>();
    const first = gate.admit("first", 0, 10);
    const leaving = gate.admit("leaving", 5, 15);
    gate.admit("behind both", 5, 15);
    gate.admit("behind it alone", 12, 15);
    expect(gate.answered(leaving)).toEqual([]);
    expect(gate.answered(first)).toEqual(["behind both"]);
    const free = new OverlapGate<string>();
    free.admit("first", 0, 10);
    const gone = free.admit("gone", 5, 15);
    free.admit("behind it alone", 12, 15);
    expect(free.answered(gone)).toEqual(["behind it alone"]);
  });

  it("does not free one that has left already", () => {
    const gate = new OverlapGate<string>();
    const first = gate.admit("first", 0, 10);
    const leaving = gate.admit("leaving", 0, 10);
    gate.answered(leaving);
    expect(gate.answered(first)).toEqual([]);
  });

  it("has no objection to empty ranges", () => {
    const gate = new OverlapGate<string>();
    gate.admit("write", 0, 10);
    expect(gate.admit("empty", 10, 10).blocked).toBe(false);
    expect(gate.admit("write", 10, 20).blocked).toBe(false);
  });

  it("agrees with a naive gate about any history", () => {
    const step = fc.oneof(
      { weight: 3, arbitrary: fc.record({ start: fc.nat(30), length: fc.integer({ min: 1, max: 12 }) }) },
      // Which of those that are there is answered, or leaves unsent.
      { weight: 2, arbitrary: fc.record({ pick: fc.nat() }) },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const gate = new OverlapGate<number>();
        const naive = new NaiveGate();
        const tickets = new Map<number, GateTicket<number>>();
        for (const [id, one] of steps.entries()) {
          if ("start" in one) {
            tickets.set(id, gate.admit(id, one.start, one.start + one.length));
            naive.admit(id, one.start, one.start + one.length);
          } else if (tickets.size > 0) {
            const picked = [...tickets.keys()][one.pick % tickets.size] ?? 0;
            const freed = gate.answered(tickets.get(picked) as GateTicket<number>);
            tickets.delete(picked);
            expect(freed.toSorted((a, b) => a - b)).toEqual(naive.answered(picked));
          }
          for (const [ticketId, ticket] of tickets) expect(ticket.blocked).toBe(naive.blocked(ticketId));
        }
      }),
      { numRuns: 1000 },
    );
  });
});

/** The rule in its plainest form: blocked is who overlaps an earlier one that is still there. */
class NaiveGate {
  #present: { id: number; start: number; end: number }[] = [];

  admit(id: number, start: number, end: number): void {
    this.#present.push({ id, start, end });
  }

  blocked(id: number): boolean {
    const index = this.#present.findIndex((one) => one.id === id);
    const mine = this.#present[index];
    return this.#present
      .slice(0, index)
      .some((one) => mine !== undefined && one.start < mine.end && mine.start < one.end);
  }

  /** Takes one out; returns who is free now and was not. */
  answered(id: number): number[] {
    const blockedBefore = this.#present.filter((one) => this.blocked(one.id)).map((one) => one.id);
    this.#present = this.#present.filter((one) => one.id !== id);
    return blockedBefore.filter((one) => one !== id && !this.blocked(one));
  }
}
