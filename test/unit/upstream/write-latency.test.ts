import { describe, expect, it } from "vitest";

import { LIMITS } from "../../../src/limits.ts";
import { InFlightTable } from "../../../src/upstream/in-flight-table.ts";
import type { InFlight } from "../../../src/upstream/in-flight.ts";
import { WriteLatency } from "../../../src/upstream/write-latency.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { request } from "./requests.ts";

function setUp() {
  const clock = new ManualClock();
  const table = new InFlightTable();
  const latency = new WriteLatency(clock);
  const write = (): InFlight => table.add(request({ text: "data" }), undefined);
  /** A write is sent and, so much later, answered. */
  const take = (entry: InFlight, ms: number): void => {
    latency.sent(entry);
    clock.advance(ms);
    latency.answered(entry);
  };
  return { clock, latency, take, a: write(), b: write() };
}

describe("WriteLatency", () => {
  it("is nothing before the first write is answered", () => {
    const { clock, latency, a } = setUp();
    latency.sent(a);
    clock.advance(5);
    expect(latency.ms).toBe(0);
  });

  it("is the time of one write, whatever is sent and answered meanwhile", () => {
    const { clock, latency, take, a, b } = setUp();
    latency.sent(a);
    clock.advance(2);
    take(b, 1);
    expect(latency.ms).toBe(0);
    latency.answered(a);
    expect(latency.ms).toBe(3);
  });

  it("does not count what happens while nothing is at the server", () => {
    const { clock, latency, take, a, b } = setUp();
    take(a, 0);
    clock.advance(1000);
    take(b, 4);
    expect(latency.ms).toBe(4);
  });

  it("goes back little by little when writes get quicker", () => {
    const { latency, take, a } = setUp();
    take(a, 8);
    for (const expected of [7, 6.125]) {
      take(a, 0);
      expect(latency.ms).toBe(expected);
    }
    take(a, 6);
    expect(latency.ms).toBe(6);
  });

  it("is never so long that a slow FLUSH looks quick beside it", () => {
    const { latency, take, a } = setUp();
    take(a, 60_000);
    expect(latency.ms).toBe(LIMITS.cheapFlushQueueMs);
  });

  it("does not watch a write that may have to wait for the end of a FLUSH", () => {
    const { clock, latency, take, a, b } = setUp();
    latency.sent(a);
    latency.flushSent();
    latency.sent(b);
    clock.advance(9);
    latency.answered(a);
    latency.answered(b);
    expect(latency.ms).toBe(0);
    latency.flushAnswered();
    take(b, 2);
    expect(latency.ms).toBe(2);
  });

  it("forgets it when no write was measured from one FLUSH to the next", () => {
    const { latency, take, a } = setUp();
    take(a, 5);
    latency.flushSent();
    latency.flushAnswered();
    expect(latency.ms).toBe(5);
    latency.flushSent();
    expect(latency.ms).toBe(0);
  });

  it("forgets what was lost with its connection", () => {
    const { clock, latency, a, b } = setUp();
    latency.sent(a);
    latency.flushSent();
    latency.lost();
    latency.sent(b);
    clock.advance(2);
    latency.answered(a);
    latency.answered(b);
    expect(latency.ms).toBe(2);
  });
});
