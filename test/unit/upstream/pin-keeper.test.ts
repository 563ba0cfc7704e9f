import { describe, expect, it } from "vitest";

import { durabilityCounters } from "../../../src/durability/durability-counters.ts";
import { LIMITS } from "../../../src/limits.ts";
import { COMMAND, NBD_ERROR } from "../../../src/protocol/constants.ts";
import { ByteBudget } from "../../../src/transport/byte-budget.ts";
import { SlabPool } from "../../../src/transport/slab-pool.ts";
import { InFlightTable } from "../../../src/upstream/in-flight-table.ts";
import type { InFlight } from "../../../src/upstream/in-flight.ts";
import { PinKeeper } from "../../../src/upstream/pin-keeper.ts";
import { UnflushedLog } from "../../../src/upstream/unflushed-log.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { RecordingLog } from "../support/recording-log.ts";
import { request } from "./requests.ts";

const PIN_MS = 60_000;

/** A keeper whose connection, and everything that is sent over it, is the test. */
function setUp(pinMs = PIN_MS) {
  const clock = new ManualClock();
  const log = new RecordingLog();
  const counters = durabilityCounters();
  const unflushed = new UnflushedLog({
    unflushed: "log",
    clock,
    pool: new SlabPool({ slabBytes: 4096, idleSlabs: 4 }),
    budget: new ByteBudget(LIMITS.budgetBytes, 1000),
  });
  const table = new InFlightTable();
  const world = { open: true, reads: new Array<InFlight>() };
  const rewritten: string[] = [];
  const answers: ((error: number) => void)[] = [];
  let lifts = 0;
  const keeper = new PinKeeper({
    ...{ clock, log, counters, unflushed, pinMs },
    isOpen: () => world.open,
    rewrite: ({ start, end }, answered) => {
      rewritten.push(`${start}-${end}`);
      answers.push(answered);
    },
    readsUnderWay: () => world.reads,
    lifted: () => (lifts += 1),
  });
  const entry = (offset: number, length: number, command: number = COMMAND.WRITE): InFlight =>
    table.add(request({ command, offset, length }), undefined);
  /** A connection is lost with these ranges being written, and there is the next one at once. */
  const lose = (...ranges: (readonly [offset: number, length: number])[]): void => {
    for (const [offset, length] of ranges) keeper.pin(entry(offset, length));
    keeper.lost();
    keeper.opened();
  };
  return {
    ...{ clock, log, counters, unflushed, keeper, world, rewritten, entry, lose },
    answer: (index: number, error = 0) => answers[index]?.(error),
    lifts: () => lifts,
    pins: () => unflushed.pins.ended(Infinity).map(({ start, end }) => `${start}-${end}`),
  };
}

describe("PinKeeper", () => {
  it("pins what was being written when a connection was lost, and counts that", () => {
    const { counters, lose, pins, entry, keeper } = setUp();
    lose([0, 4], [10, 5]);
    keeper.pin(entry(20, 0));
    expect([pins(), counters.pins]).toEqual([["0-4", "10-15"], 2]);
  });

  it("pins nothing where it was told not to", () => {
    const { clock, counters, lose, pins } = setUp(0);
    lose([0, 4]);
    expect([pins(), counters.pins, clock.pending]).toEqual([[], 0, 0]);
  });

  it("has it written again when its time has come, then takes the pin away", () => {
    const { clock, lose, pins, rewritten, answer, lifts, log } = setUp();
    lose([0, 4]);
    clock.advance(10_000);
    lose([10, 5]);
    clock.advance(PIN_MS - 10_000);
    expect([rewritten, pins()]).toEqual([[], ["0-4", "10-15"]]);
    clock.advance(1);
    expect([rewritten, pins(), lifts()]).toEqual([["0-4"], ["0-4", "10-15"], 0]);
    answer(0);
    expect([pins(), lifts()]).toEqual([["10-15"], 1]);
    expect(log.lines).toEqual(["info: pin ended: 4 bytes can't be overwritten by a lost connection any more"]);
    clock.advance(10_000);
    answer(1);
    expect([rewritten, pins(), lifts(), clock.pending]).toEqual([["0-4", "10-15"], [], 2, 0]);
  });

  it("waits for all rewrites that began together", () => {
    const { clock, lose, pins, answer, lifts } = setUp();
    lose([0, 4], [10, 5]);
    clock.advance(PIN_MS + 1);
    answer(1);
    expect(pins()).toEqual(["0-4", "10-15"]);
    answer(0);
    expect([pins(), lifts()]).toEqual([[], 1]);
  });

  it("waits for the reads that were under way then, and for no other", () => {
    const { clock, keeper, lose, pins, answer, world, entry } = setUp();
    lose([0, 4]);
    clock.advance(PIN_MS + 1);
    const [first, second, later] = [0, 1, 2].map((offset) => entry(offset, 1, COMMAND.READ));
    world.reads = [first as InFlight, second as InFlight];
    answer(0);
    keeper.answered(later as InFlight);
    keeper.answered(first as InFlight);
    expect(pins()).toEqual(["0-4"]);
    keeper.answered(second as InFlight);
    expect(pins()).toEqual([]);
  });

  it("waits until requests may be sent, when they may not at the end", () => {
    const { clock, keeper, lose, pins, rewritten, answer, world } = setUp();
    lose([0, 4]);
    world.open = false;
    clock.advance(2 * PIN_MS);
    expect(rewritten).toEqual([]);
    world.open = true;
    keeper.opened();
    clock.advance(1);
    expect(rewritten).toEqual(["0-4"]);
    world.open = false;
    answer(0);
    expect(pins()).toEqual(["0-4"]);
    world.open = true;
    keeper.opened();
    expect(pins()).toEqual([]);
  });

  it("keeps what was being taken away when the connection is lost, and begins again over the next one", () => {
    const { clock, lose, pins, rewritten, answer } = setUp();
    lose([0, 4], [10, 5]);
    clock.advance(PIN_MS + 1);
    expect(rewritten).toEqual(["0-4", "10-15"]);
    // What was being written is pinned anew, the rest is due at once.
    lose([0, 4]);
    clock.advance(1);
    expect(rewritten.slice(2)).toEqual(["10-15"]);
    answer(2);
    expect(pins()).toEqual(["0-4"]);
    clock.advance(PIN_MS);
    expect(rewritten.slice(3)).toEqual(["0-4"]);
  });

  it("does not take away what was pinned anew while it was written again", () => {
    const { clock, keeper, lose, pins, answer, entry } = setUp();
    lose([0, 10]);
    clock.advance(PIN_MS + 1);
    keeper.pin(entry(3, 4));
    answer(0);
    expect(pins()).toEqual(["3-7"]);
  });

  it("keeps what the server refuses to take again, and tries later", () => {
    const { clock, lose, pins, rewritten, answer, lifts, log } = setUp();
    lose([0, 4], [10, 5]);
    clock.advance(PIN_MS + 1);
    answer(0, NBD_ERROR.EIO);
    answer(1);
    expect([pins(), lifts(), log.of("warning").length]).toEqual([["0-4", "10-15"], 0, 1]);
    clock.advance(LIMITS.refusedRetryMaxMs + 1);
    expect(rewritten.slice(2)).toEqual(["0-4", "10-15"]);
    answer(2);
    answer(3);
    expect([pins(), lifts()]).toEqual([[], 1]);
  });

  it("has what was pinned flushed like anything else afterwards", () => {
    const { clock, lose, answer, unflushed, entry } = setUp();
    lose([0, 4]);
    const one = entry(0, 4, COMMAND.WRITE_ZEROES);
    unflushed.acknowledged(one, true, false);
    expect(unflushed.unstableBytes).toBe(0);
    clock.advance(PIN_MS + 1);
    answer(0);
    expect(unflushed.unstableBytes).toBe(4);
  });

  it("has no timer while there is nothing pinned, while there is no connection, nor after it was closed", () => {
    const { clock, keeper, lose, world } = setUp();
    lose();
    expect(clock.pending).toBe(0);
    world.open = false;
    lose([0, 4]);
    expect(clock.pending).toBe(0);
    world.open = true;
    keeper.opened();
    keeper.opened();
    expect(clock.pending).toBe(1);
    keeper.close();
    expect(clock.pending).toBe(0);
  });
});

describe("PinKeeper.finish", () => {
  it("takes all pins away before their time, then calls back", () => {
    const { keeper, lose, pins, rewritten, answer, clock } = setUp();
    let finished = 0;
    lose([0, 4], [10, 5]);
    keeper.finish(() => (finished += 1));
    expect(rewritten).toEqual(["0-4", "10-15"]);
    answer(0);
    expect(finished).toBe(0);
    answer(1);
    expect([pins(), finished, clock.pending]).toEqual([[], 1, 0]);
  });

  it("calls back at once when nothing is pinned, and when there is no connection", () => {
    const { keeper, lose, world } = setUp();
    let finished = 0;
    keeper.finish(() => (finished += 1));
    expect(finished).toBe(1);
    lose([0, 4]);
    world.open = false;
    keeper.finish(() => (finished += 1));
    expect(finished).toBe(2);
  });

  it("goes on with the others when some are being taken away", () => {
    const { clock, keeper, lose, pins, rewritten, answer } = setUp();
    let finished = 0;
    lose([0, 4]);
    clock.advance(10_000);
    lose([10, 5]);
    clock.advance(PIN_MS - 10_000 + 1);
    keeper.finish(() => (finished += 1));
    expect(rewritten).toEqual(["0-4"]);
    answer(0);
    expect([rewritten, finished]).toEqual([["0-4", "10-15"], 0]);
    answer(1);
    expect([pins(), finished]).toEqual([[], 1]);
  });

  it("calls back when the connection is lost, or the server refuses", () => {
    const lost = setUp();
    const refused = setUp();
    let finished = 0;
    for (const { keeper, lose } of [lost, refused]) {
      lose([0, 4]);
      keeper.finish(() => (finished += 1));
    }
    lost.keeper.lost();
    expect(finished).toBe(1);
    refused.answer(0, NBD_ERROR.EIO);
    expect([finished, lost.pins(), refused.pins()]).toEqual([2, ["0-4"], ["0-4"]]);
  });
});
