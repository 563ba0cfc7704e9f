import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { FlushTurn, type SentFlush } from "../../../src/durability/flush-turn.ts";
import { BrokenInvariant } from "../../../src/durability/invariants.ts";

describe("FlushTurn", () => {
  it("is free, and nobody wants one, at first", () => {
    const turn = new FlushTurn<string>();
    expect([turn.wanted, turn.free, turn.rewriteIsDue]).toEqual([false, true, false]);
  });

  it("sends one for everybody who has asked", () => {
    const turn = new FlushTurn<string>();
    for (const waiter of ["a", "b"]) turn.join(waiter);
    expect([turn.wanted, turn.free]).toEqual([true, true]);
    const flush = turn.sent(7);
    expect([flush.number, [...flush.covered]]).toEqual([7, ["a", "b"]]);
    expect([turn.wanted, turn.free]).toEqual([false, false]);
    expect(turn.answered(flush, true)).toBe(7);
    expect([turn.wanted, turn.free]).toEqual([false, true]);
  });

  it("makes those who ask while one is at the server wait for the next", () => {
    const turn = new FlushTurn<string>();
    turn.join("a");
    const first = turn.sent(1);
    turn.join("b");
    turn.join("c");
    expect([[...first.covered], turn.wanted, turn.free]).toEqual([["a"], true, false]);
    turn.answered(first, true);
    expect([...turn.sent(5).covered]).toEqual(["b", "c"]);
  });

  it("sends one for nobody when the proxy asks on its own account, and one for both when it is not alone", () => {
    const turn = new FlushTurn<string>();
    turn.want();
    expect(turn.wanted).toBe(true);
    const own = turn.sent(3);
    expect([own.covered.size, turn.wanted]).toEqual([0, false]);
    turn.want();
    expect(turn.wanted).toBe(true);
    turn.answered(own, true);
    turn.join("a");
    expect([[...turn.sent(4).covered], turn.wanted]).toEqual([["a"], false]);
  });

  it("lets nothing become stable by one that failed, and has everything written again before the next", () => {
    const turn = new FlushTurn<string>();
    turn.join("a");
    const flush = turn.sent(7);
    expect(turn.answered(flush, false)).toBeUndefined();
    expect([turn.rewriteIsDue, turn.free, turn.wanted]).toEqual([true, true, false]);
    expect([...flush.covered]).toEqual(["a"]);
    turn.rewritten();
    expect(turn.rewriteIsDue).toBe(false);
    turn.rewriteLater();
    expect(turn.rewriteIsDue).toBe(true);
  });

  it("does not take a FLUSH that succeeded for a rewrite that is due", () => {
    const turn = new FlushTurn<string>();
    const flush = turn.sent(7);
    turn.rewriteLater();
    turn.answered(flush, true);
    expect(turn.rewriteIsDue).toBe(true);
  });

  it("lets those ask again who waited for one that was lost, before those who came later", () => {
    const turn = new FlushTurn<string>();
    for (const waiter of ["a", "b"]) turn.join(waiter);
    turn.sent(1);
    turn.join("c");
    turn.lost();
    expect([turn.wanted, turn.free]).toEqual([true, true]);
    expect([...turn.sent(2).covered]).toEqual(["a", "b", "c"]);
  });

  it("does not forget over a lost connection that a rewrite is due", () => {
    const turn = new FlushTurn<string>();
    turn.answered(turn.sent(1), false);
    turn.lost();
    expect(turn.rewriteIsDue).toBe(true);
  });

  it("takes out who leaves, wherever it waits", () => {
    const turn = new FlushTurn<string>();
    for (const waiter of ["a", "b"]) turn.join(waiter);
    const flush = turn.sent(1);
    for (const waiter of ["c", "d"]) turn.join(waiter);
    for (const waiter of ["a", "c"]) turn.leave(waiter);
    expect([...flush.covered]).toEqual(["b"]);
    turn.lost();
    expect([...turn.sent(2).covered]).toEqual(["b", "d"]);
  });

  it("wants none when the last who asked has left", () => {
    const turn = new FlushTurn<string>();
    turn.join("a");
    turn.leave("a");
    expect(turn.wanted).toBe(false);
  });

  it("breaks I4 when two are at the server at once, and has not touched anything then", () => {
    const turn = new FlushTurn<string>();
    const flush = turn.sent(1);
    turn.join("a");
    expect(() => turn.sent(2)).toThrow(BrokenInvariant);
    expect(() => turn.sent(2)).toThrow("invariant I4 is broken: two FLUSHes are at the server at once");
    turn.answered(flush, true);
    expect([...turn.sent(2).covered]).toEqual(["a"]);
  });
});

describe("FlushTurn, whatever happens,", () => {
  const step = fc.constantFrom("join", "join", "want", "send", "send", "succeed", "fail", "leave", "lose");

  it("answers everybody once, by a FLUSH that was sent after they asked", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const turn = new FlushTurn<number>();
        /** Who waits; each is the number of the step in which it asked. */
        const waiting = new Set<number>();
        let atServer: { flush: SentFlush<number>; at: number } | undefined;
        for (const [at, one] of steps.entries()) {
          if (one === "join") {
            turn.join(at);
            waiting.add(at);
          } else if (one === "want") turn.want();
          else if (one === "send" && turn.wanted && turn.free) atServer = { flush: turn.sent(at), at };
          else if ((one === "succeed" || one === "fail") && atServer !== undefined) {
            const { flush, at: sentAt } = atServer;
            atServer = undefined;
            expect(turn.answered(flush, one === "succeed")).toBe(one === "succeed" ? sentAt : undefined);
            // Everybody who had asked by then, and nobody else.
            expect([...flush.covered]).toEqual([...waiting].filter((waiter) => waiter < sentAt));
            for (const waiter of flush.covered) waiting.delete(waiter);
          } else if (one === "leave") {
            const leaving = [...waiting][at % Math.max(1, waiting.size)] ?? -1;
            turn.leave(leaving);
            waiting.delete(leaving);
          } else if (one === "lose") {
            turn.lost();
            atServer = undefined;
          }
          expect(turn.free).toBe(atServer === undefined);
          const unsent = [...waiting].filter((waiter) => atServer === undefined || waiter > atServer.at);
          if (unsent.length > 0) expect(turn.wanted).toBe(true);
        }
      }),
      { numRuns: 1000 },
    );
  });
});
