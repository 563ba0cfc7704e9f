import { beforeEach, describe, expect, it } from "vitest";
import { LIMITS } from "../../../src/limits.ts";
import { AdaptivePolling, type PollingLoop, type Speaker } from "../../../src/transport/adaptive-polling.ts";

/** How long one look takes on this loop. */
const LOOK_MS = 0.005;

/** An event loop whose time and turns are moved by hand. */
class PlayedLoop implements PollingLoop {
  atMs = 0;
  looks = 0;
  giveWay: (() => void) | undefined;
  #step: (() => void) | undefined;

  nowMs(): number {
    return this.atMs;
  }

  again(step: () => void): void {
    expect(this.#step, "two looks at once").toBeUndefined();
    this.#step = step;
  }

  get looksNext(): boolean {
    return this.#step !== undefined;
  }

  /** One turn of the loop, which takes some time. */
  turn(tookMs = LOOK_MS): void {
    const step = this.#step;
    this.#step = undefined;
    this.atMs += tookMs;
    this.looks += 1;
    step?.();
  }

  /** Turns until nobody looks any more, or for so long. */
  turnFor(durationMs: number): void {
    const endMs = this.atMs + durationMs;
    while (this.looksNext && this.atMs + LOOK_MS < endMs) this.turn();
    this.atMs = Math.max(this.atMs, endMs);
  }
}

/** Somebody of whom only the event loop can tell whether he has spoken. */
const SOMEBODY: Speaker = { look: () => undefined };

describe("adaptive polling", () => {
  let loop: PlayedLoop;
  let polling: AdaptivePolling;

  beforeEach(() => {
    loop = new PlayedLoop();
    polling = new AdaptivePolling(loop);
  });

  /** Work is handed over, and its answer comes so much later; returns how often was looked for it. */
  function exchange(gapMs: number): number {
    const before = loop.looks;
    polling.handedOver(SOMEBODY);
    loop.turnFor(gapMs);
    polling.arrived(SOMEBODY, 100);
    return loop.looks - before;
  }

  it("does not look at all before an answer has come quickly", () => {
    expect(exchange(0.05)).toBe(0);
  });

  it("looks as long as it takes once answers come quickly", () => {
    for (let count = 0; count < 5; count += 1) exchange(0.1);
    expect(exchange(0.1)).toBeGreaterThanOrEqual(15);
  });

  it("grows in steps and not beyond its limit", () => {
    for (let count = 0; count < 20; count += 1) exchange(LIMITS.pollingMs - 0.01);
    polling.handedOver(SOMEBODY);
    loop.turnFor(10);
    expect(loop.looksNext).toBe(false);
    expect(loop.looks * LOOK_MS).toBeLessThan(20 * LIMITS.pollingMs + LIMITS.pollingMs + 2 * LOOK_MS);
  });

  it("gives up looking when an answer takes longer than is worth it", () => {
    for (let count = 0; count < 5; count += 1) exchange(0.1);
    exchange(5);
    expect(exchange(0.1)).toBe(0);
  });

  it("looks no more when nothing is awaited", () => {
    for (let count = 0; count < 5; count += 1) exchange(0.1);
    loop.turn();
    loop.turn();
    expect(loop.looksNext).toBe(false);
  });

  it("is not started twice by two pieces of work", () => {
    for (let count = 0; count < 5; count += 1) exchange(0.1);
    polling.handedOver(SOMEBODY);
    polling.handedOver(SOMEBODY);
    expect(loop.looksNext).toBe(true);
  });

  /** Somebody else takes the processor while an answer is awaited. */
  function interrupt(tookMs = LIMITS.pollingLookMs + 0.02): void {
    polling.handedOver(SOMEBODY);
    if (loop.looksNext) loop.turn(tookMs);
    loop.turnFor(0.02);
    polling.arrived(SOMEBODY, 100);
  }

  /** Answers come quickly until they are looked for, and then some. */
  function settle(exchanges = 2): void {
    while (exchange(0.1) === 0) loop.atMs += 1;
    for (let count = 0; count < exchanges; count += 1) exchange(0.1);
  }

  it("leaves the processor alone for a while when somebody else needs it as often", () => {
    settle();
    interrupt();
    for (let count = 0; count < 5; count += 1) expect(exchange(0.1)).toBe(0);
    loop.atMs += LIMITS.pollingPauseMs;
    exchange(0.1);
    expect(exchange(0.1)).toBeGreaterThan(0);
  });

  it("does not mind that somebody needs it now and then", () => {
    settle(LIMITS.pollingCredit);
    for (let round = 0; round < 10; round += 1) {
      interrupt();
      expect(exchange(0.1)).toBeGreaterThan(0);
      settle(LIMITS.pollingCredit);
    }
  });

  it("minds it when it happens again and again, however well it went before", () => {
    settle(10 * LIMITS.pollingCredit);
    interrupt();
    interrupt();
    expect(exchange(0.1)).toBe(0);
  });

  it("leaves it alone for longer each time that happens again, up to a limit", () => {
    const pausesMs: number[] = [];
    for (let round = 0; round < 10; round += 1) {
      settle();
      interrupt();
      const beganMs = loop.atMs;
      while (exchange(0.1) === 0) loop.atMs += 1;
      pausesMs.push(loop.atMs - beganMs);
    }
    expect(pausesMs[1]).toBeGreaterThan(1.5 * (pausesMs[0] ?? 0));
    expect(pausesMs.at(-1)).toBeGreaterThan(0.9 * LIMITS.pollingPauseMaxMs);
    expect(pausesMs.at(-1)).toBeLessThan(1.1 * LIMITS.pollingPauseMaxMs);
  });

  it("forgets earlier trouble after a quiet time", () => {
    for (let round = 0; round < 3; round += 1) {
      settle();
      interrupt();
      loop.atMs += LIMITS.pollingPauseMaxMs * 3;
    }
    settle();
    interrupt();
    loop.atMs += LIMITS.pollingPauseMs;
    exchange(0.1);
    expect(exchange(0.1)).toBeGreaterThan(0);
  });

  describe("where others can be let go first", () => {
    let gaveWay = 0;

    beforeEach(() => {
      gaveWay = 0;
      loop.giveWay = () => {
        gaveWay += 1;
      };
    });

    it("does so when an answer does not come soon", () => {
      settle();
      gaveWay = 0;
      polling.handedOver(SOMEBODY);
      for (let count = 1; count < LIMITS.pollingTurnsAlone; count += 1) loop.turn();
      expect(gaveWay).toBe(0);
      loop.turn();
      expect(gaveWay).toBe(1);
    });

    it("does not mind when they take a moment", () => {
      settle();
      for (let count = 0; count < 10; count += 1) interrupt();
      expect(exchange(0.1)).toBeGreaterThan(0);
    });

    it("leaves them alone for a while when they need all the time that they can get", () => {
      settle();
      for (let count = 0; count < 2; count += 1) interrupt(LIMITS.pollingSliceMs + 0.02);
      for (let count = 0; count < 5; count += 1) expect(exchange(0.1)).toBe(0);
    });
  });
});
