import { beforeEach, describe, expect, it } from "vitest";

import { LIMITS } from "../../../src/limits.ts";
import { TakingTurns } from "../../../src/transport/taking-turns.ts";

describe("taking turns", () => {
  let turns: TakingTurns<string>;

  beforeEach(() => {
    turns = new TakingTurns();
  });

  /** One side says something, and it is passed on to the other. */
  function pass(from: string, to: string, bytes = 100): void {
    turns.heard(from, bytes);
    turns.said(to);
  }

  /** So many requests and replies, one at a time. */
  function converse(exchanges: number): void {
    for (let count = 0; count < exchanges; count += 1) {
      pass("client", "server");
      pass("server", "client");
    }
  }

  /** Everything that has been recognised is undone: it takes as long as at first. */
  function expectBegunAnew(): void {
    expect(turns.next).toBeUndefined();
    converse(LIMITS.turnsTaken / 2);
    expect(turns.next).toBeUndefined();
    converse(1);
    expect(turns.next).toBe("client");
  }

  it("says who is next once two have taken turns for long enough", () => {
    expectBegunAnew();
    turns.heard("client", 100);
    expect(turns.next).toBeUndefined();
    turns.said("server");
    expect(turns.next).toBe("server");
  });

  it("does not take it for taking turns when somebody is answered himself", () => {
    for (let count = 0; count < 3 * LIMITS.turnsTaken; count += 1) pass("client", "client");
    expect(turns.next).toBeUndefined();
  });

  it("lets one of them say things in parts", () => {
    converse(LIMITS.turnsTaken);
    turns.heard("client", 28);
    turns.heard("client", 4096);
    turns.said("server");
    expect(turns.next).toBe("server");
  });

  it("does not count parts as turns", () => {
    for (let count = 0; count < 3 * LIMITS.turnsTaken; count += 1) turns.heard("client", 28);
    turns.said("server");
    expect(turns.next).toBeUndefined();
  });

  const disturbances: readonly [string, () => void][] = [
    ["somebody else speaks", () => pass("other client", "server")],
    ["somebody speaks whose turn it is not", () => pass("server", "client")],
    ["somebody is spoken to twice", () => turns.said("client")],
    ["somebody else is spoken to", () => turns.said("other client")],
    ["one of them says something long", () => pass("client", "server", LIMITS.closeLookBytes)],
  ];
  it.each(disturbances)("begins anew when %s", (_, disturb) => {
    converse(2 * LIMITS.turnsTaken);
    disturb();
    turns.heard("server", 100);
    turns.said("client");
    turns.heard("client", LIMITS.closeLookBytes - 1);
    turns.said("server");
    expect(turns.next).toBeUndefined();
  });
});
