import { describe, expect, it } from "vitest";

import { ClientQuota } from "../../../src/downstream/client-quota.ts";
import { LIMITS } from "../../../src/limits.ts";
import { ByteBudget } from "../../../src/transport/byte-budget.ts";
import { settle } from "../support/settle.ts";

const MIB = 1024 * 1024;

function setUp(budget = new ByteBudget(LIMITS.budgetBytes, LIMITS.budgetRequests)) {
  const woken: string[] = [];
  const quota = (name: string): ClientQuota => new ClientQuota(budget, { budgetHasRoom: () => woken.push(name) });
  return { budget, woken, quota };
}

describe("ClientQuota", () => {
  it("takes room from the budget, and gives it back when the answer has left", () => {
    const { budget, quota } = setUp();
    const mine = quota("mine");
    expect([mine.tryAdmit(100, 0), mine.tryAdmit(0, 0)]).toEqual([true, true]);
    expect([mine.inFlight, budget.heldBytes, budget.heldRequests]).toEqual([2, 100, 2]);
    mine.answered(116);
    mine.answered(132);
    expect([mine.inFlight, budget.heldBytes]).toEqual([0, 100]);
    mine.release(100, 2);
    expect([budget.heldBytes, budget.heldRequests]).toEqual([0, 0]);
  });

  it("gives everything back at once of a request that will never be whole", () => {
    const { budget, quota } = setUp();
    const mine = quota("mine");
    mine.tryAdmit(4096, 0);
    mine.abandoned(4096);
    expect([mine.inFlight, budget.heldBytes, budget.heldRequests]).toEqual([0, 0, 0]);
  });

  it("admits no more than so many requests", () => {
    const mine = setUp().quota("mine");
    for (let count = 0; count < LIMITS.clientRequests; count += 1) expect(mine.tryAdmit(0, 0)).toBe(true);
    expect([mine.tryAdmit(0, 0), mine.crowded(0)]).toEqual([false, true]);
    mine.answered(0);
    expect([mine.tryAdmit(0, 0), mine.inFlight]).toEqual([true, LIMITS.clientRequests]);
  });

  it("admits no more than so many bytes, and one request beyond them", () => {
    const mine = setUp().quota("mine");
    expect([mine.tryAdmit(LIMITS.clientBytes - 1, 0), mine.tryAdmit(32 * MIB, 0)]).toEqual([true, true]);
    expect([mine.tryAdmit(0, 0), mine.crowded(0)]).toEqual([false, true]);
    mine.answered(0);
    mine.release(32 * MIB, 1);
    expect(mine.tryAdmit(0, 0)).toBe(true);
  });

  it("admits nothing while too many answers are unread", () => {
    const mine = setUp().quota("mine");
    expect(mine.tryAdmit(0, LIMITS.clientBacklogBytes)).toBe(false);
    expect(mine.tryAdmit(0, LIMITS.clientBacklogBytes - 1)).toBe(true);
  });

  it("does not wait for room while its own limit is in the way", async () => {
    const { woken, quota, budget } = setUp(new ByteBudget(100, 10));
    const [mine, theirs] = [quota("mine"), quota("theirs")];
    mine.tryAdmit(100, 0);
    expect([mine.tryAdmit(0, LIMITS.clientBacklogBytes), theirs.othersWait]).toEqual([false, false]);
    expect([mine.tryAdmit(1, 0), theirs.othersWait, mine.othersWait]).toEqual([false, true, false]);
    expect([theirs.tryAdmit(1, 0), mine.othersWait]).toEqual([false, true]);
    // What was answered makes too many unread: whoever comes next has its turn.
    mine.answered(LIMITS.clientBacklogBytes);
    expect([theirs.othersWait, mine.othersWait]).toEqual([false, true]);
    mine.release(100, 1);
    await settle();
    expect([woken, budget.heldBytes]).toEqual([["theirs"], 0]);
  });

  it("waits no longer when it is told so", () => {
    const { quota } = setUp(new ByteBudget(100, 10));
    const [mine, theirs] = [quota("mine"), quota("theirs")];
    mine.tryAdmit(100, 0);
    theirs.tryAdmit(1, 0);
    expect(mine.othersWait).toBe(true);
    theirs.stopWaiting();
    expect(mine.othersWait).toBe(false);
  });
});
