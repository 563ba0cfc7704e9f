import { describe, expect, it } from "vitest";

import { durabilityCounters } from "../../../src/durability/durability-counters.ts";
import { LossStreak } from "../../../src/durability/loss-streak.ts";
import { LIMITS } from "../../../src/limits.ts";
import { NBD_ERROR } from "../../../src/protocol/constants.ts";
import { ByteBudget } from "../../../src/transport/byte-budget.ts";
import { SlabPool } from "../../../src/transport/slab-pool.ts";
import { InFlightTable } from "../../../src/upstream/in-flight-table.ts";
import type { InFlight } from "../../../src/upstream/in-flight.ts";
import { Recovery, type RecoverySummary } from "../../../src/upstream/recovery.ts";
import { RequestQueue } from "../../../src/upstream/request-queue.ts";
import { RequestSender } from "../../../src/upstream/request-sender.ts";
import { UnflushedLog } from "../../../src/upstream/unflushed-log.ts";
import type { UpstreamSession } from "../../../src/upstream/upstream-session.ts";
import { WriteTrouble } from "../../../src/upstream/write-trouble.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { RecordingLog } from "../support/recording-log.ts";
import { DONE, PlayedSession } from "./played-flow.ts";
import { request } from "./requests.ts";

const { EIO } = NBD_ERROR;

/** A recovery over connections that are the test. */
function setUp() {
  const clock = new ManualClock();
  const log = new RecordingLog();
  const counters = durabilityCounters();
  const unflushed = new UnflushedLog({
    unflushed: "log",
    clock,
    pool: new SlabPool({ slabBytes: 4096, idleSlabs: 4 }),
    budget: new ByteBudget(LIMITS.budgetBytes, 1000),
  });
  const queue = new RequestQueue({ freed: () => undefined, ending: () => undefined });
  const sender = new RequestSender(queue.table, clock, (entry) => answered(entry));
  const trouble = new WriteTrouble({ clock, log, changed: () => undefined });
  const opened: (RecoverySummary | undefined)[] = [];
  const rewritten: boolean[] = [];
  const recovery = new Recovery({
    ...{ log, counters, sender, unflushed, trouble },
    held: () => queue.held(),
    readsUnderWay: () => queue.reads(),
    rewritten: (complete) => rewritten.push(complete),
    opened: (summary) => opened.push(summary),
  });
  const answered = (entry: InFlight, error = 0): void => {
    sender.writes.delete(entry);
    queue.remove(entry);
    entry.request.complete({ ...DONE, error });
    recovery.answered(entry);
  };
  const connect = (flags?: number): PlayedSession => {
    const session = new PlayedSession(flags);
    sender.begin(session as unknown as UpstreamSession);
    recovery.begin();
    return session;
  };
  /** The connection is lost; what was sent is held again. Returns what was alone at the server. */
  const lose = (): InFlight | undefined => {
    const alone = recovery.lost();
    sender.end();
    for (const entry of queue.sent()) {
      entry.session = undefined;
      entry.sentBefore = true;
      if (entry.kind !== "user") queue.remove(entry);
    }
    return alone;
  };
  const hold = (fields: Parameters<typeof request>[0], sentBefore = true): InFlight => {
    const entry = queue.admit(request(fields), undefined, "user");
    entry.sentBefore = sentBefore;
    return entry;
  };
  const acknowledge = (text: string, offset: number): void =>
    unflushed.acknowledged(new InFlightTable().add(request({ text, offset }), undefined), false, false);
  return {
    clock,
    log,
    counters,
    unflushed,
    queue,
    sender,
    trouble,
    opened,
    rewritten,
    recovery,
    answered,
    connect,
    lose,
    hold,
    acknowledge,
  };
}

describe("Recovery over a new connection", () => {
  it("is done at once when there is nothing to do", () => {
    const { connect, opened, sender, rewritten, counters } = setUp();
    connect();
    expect(opened).toEqual([{ resentRequests: 0, replayedBytes: 0, pinnedBytes: 0 }]);
    expect([sender.order.phase, rewritten, counters.replays]).toEqual(["open", [true], 0]);
  });

  it("writes the log again, then what was sent before, and then lets everything pass", () => {
    const { connect, opened, sender, answered, hold, acknowledge, counters } = setUp();
    acknowledge("log", 0);
    acknowledge("more", 10);
    hold({ length: 1, offset: 50 });
    hold({ text: "sent", offset: 20 });
    hold({ text: "new", offset: 30 }, false);
    const session = connect();
    expect([session.hear(), sender.order.phase]).toEqual([["write 0 log", "write 10 more"], "replaying"]);
    answered(session.sent[1] as InFlight);
    expect(session.hear()).toEqual([]);
    answered(session.sent[0] as InFlight);
    expect([session.hear(), sender.order.phase, opened]).toEqual([["write 20 sent"], "resending", []]);
    answered(session.sent[2] as InFlight);
    expect([session.hear(), sender.order.phase]).toEqual([[], "open"]);
    // The READ that was sent before is counted as well.
    expect(opened).toEqual([{ resentRequests: 2, replayedBytes: 7, pinnedBytes: 0 }]);
    expect(counters).toMatchObject({ replays: 1, replayedFragments: 2, replayedBytes: 7, resentRequests: 2 });
  });

  it("begins from the start when the connection is lost in the middle, and sums it up once", () => {
    const { connect, lose, opened, answered, hold, acknowledge, counters } = setUp();
    acknowledge("log", 0);
    hold({ text: "sent", offset: 20 });
    answered(connect().sent[0] as InFlight);
    expect(lose()).toBeUndefined();
    const session = connect();
    answered(session.sent[0] as InFlight);
    answered(session.sent[1] as InFlight);
    expect(opened).toEqual([{ resentRequests: 1, replayedBytes: 3, pinnedBytes: 0 }]);
    expect(counters).toMatchObject({ replays: 2, replayedBytes: 6, resentRequests: 1 });
  });

  it("opens once when what is sent again is answered at once", () => {
    const { connect, opened, hold } = setUp();
    hold({ command: 4, length: 4 });
    hold({ command: 4, offset: 10, length: 4 });
    // It lacks TRIM: there is nothing to send.
    expect(connect(1).sent).toEqual([]);
    expect(opened).toHaveLength(1);
  });
});

describe("Recovery with a request that may kill the server", () => {
  /** A held request that was in flight at so many losses. */
  function suspicious(world: ReturnType<typeof setUp>, fields: Parameters<typeof request>[0]): InFlight {
    const entry = world.hold(fields);
    entry.losses = new LossStreak({ losses: 1, overMs: 0, aloneLosses: 2 });
    entry.losses.lost(0, 0, false);
    return entry;
  }

  it("sends it alone, after a server has shown that it answers at all", () => {
    const world = setUp();
    const { connect, lose, answered, hold } = world;
    hold({ text: "other", offset: 20 });
    const suspect = suspicious(world, { text: "bad", offset: 0 });
    const first = connect();
    expect(first.hear()).toEqual(["read 0+512"]);
    // It did not even answer that.
    expect(lose()).toBeUndefined();
    const second = connect();
    answered(second.sent[0] as InFlight);
    // What was admitted before it goes before it.
    expect(second.hear()).toEqual(["read 0+512", "write 20 other"]);
    answered(second.sent[1] as InFlight);
    expect(second.hear()).toEqual(["write 0 bad"]);
    expect(lose()).toBe(suspect);
  });

  it("goes on when it is answered", () => {
    const world = setUp();
    const { connect, opened, answered, hold } = world;
    suspicious(world, { text: "good", offset: 0 });
    hold({ text: "other", offset: 20 });
    const session = connect();
    answered(session.sent[0] as InFlight);
    expect(session.hear()).toEqual(["read 0+512", "write 0 good"]);
    answered(session.sent[1] as InFlight);
    expect(session.hear()).toEqual(["write 20 other"]);
    answered(session.sent[2] as InFlight);
    expect(opened).toEqual([{ resentRequests: 2, replayedBytes: 0, pinnedBytes: 0 }]);
  });

  it("sends what is left when it was dropped meanwhile", () => {
    const world = setUp();
    const { connect, queue, answered, hold, sender } = world;
    const suspect = suspicious(world, { offset: 0, length: 1 });
    hold({ text: "other", offset: 20 });
    const session = connect();
    queue.remove(suspect);
    answered(session.sent[0] as InFlight);
    expect([session.hear(), sender.order.phase]).toEqual([["read 0+512", "write 20 other"], "resending"]);
  });

  it("asks for no block where the disk has none", () => {
    const world = setUp();
    suspicious(world, { text: "bad", offset: 0 });
    const session = new PlayedSession();
    Object.assign(session.geometry, { sizeBytes: 100 });
    world.sender.begin(session as unknown as UpstreamSession);
    world.recovery.begin();
    expect(session.hear()).toEqual(["write 0 bad"]);
  });
});

describe("Recovery.rewrite", () => {
  it("waits until no write is under way, and lets nobody pass meanwhile", () => {
    const { connect, opened, sender, queue, answered, acknowledge, recovery, counters } = setUp();
    const session = connect();
    acknowledge("log", 0);
    const [write, read] = [
      queue.admit(request({ text: "under way", offset: 20 }), undefined, "user"),
      queue.admit(request({ offset: 40, length: 1 }), undefined, "user"),
    ];
    for (const entry of [write, read]) sender.send(entry, undefined, "request");
    session.hear();
    recovery.rewrite();
    expect([session.hear(), sender.order.phase]).toEqual([[], "quiescing"]);
    recovery.rewrite();
    answered(write);
    expect([session.hear(), sender.order.phase]).toEqual([["write 0 log"], "replaying"]);
    answered(session.sent[2] as InFlight);
    // This is no new connection: there is nothing to sum up.
    expect([sender.order.phase, opened.at(-1), opened.length]).toEqual(["open", undefined, 2]);
    expect(counters).toMatchObject({ replays: 1, resentRequests: 0 });
  });

  it("begins at once when no write is under way", () => {
    const { connect, sender, acknowledge, recovery } = setUp();
    const session = connect();
    acknowledge("log", 0);
    recovery.rewrite();
    expect([session.hear(), sender.order.phase]).toEqual([["write 0 log"], "replaying"]);
  });

  it("is for a connection over which requests are sent", () => {
    const { recovery, sender } = setUp();
    recovery.rewrite();
    expect(sender.order.phase).toBe("away");
  });
});

describe("Recovery whose replay is refused", () => {
  it("tries again after a pause, while everything waits, until it is taken", () => {
    const { clock, connect, opened, rewritten, sender, answered, acknowledge, counters, log } = setUp();
    acknowledge("log", 0);
    const session = connect();
    answered(session.sent[0] as InFlight, EIO);
    expect([rewritten, opened, sender.order.phase]).toEqual([[false], [], "replaying"]);
    expect(log.of("warning")).toEqual(["the server refuses 1 writes that it acknowledged before (error 5)"]);
    clock.advance(LIMITS.refusedRetryMs);
    answered(session.sent[1] as InFlight);
    expect([rewritten, opened.length, counters.refusedReplays]).toEqual([[false, true], 1, 1]);
    expect(session.hear()).toEqual(["write 0 log", "write 0 log"]);
  });

  it("goes on when there is no hope, with what is lacking laid over, and tries on until it is taken", () => {
    const { clock, connect, opened, rewritten, sender, trouble, answered, acknowledge, unflushed } = setUp();
    acknowledge("log", 0);
    const session = connect();
    for (let turn = 0; turn < 20 && !trouble.failed; turn += 1) {
      answered(session.sent.at(-1) as InFlight, EIO);
      if (!trouble.failed) clock.advance(clock.nextInMs ?? 0);
    }
    expect([opened.length, sender.order.phase, unflushed.ahead, rewritten.includes(true)]).toEqual([
      1,
      "open",
      true,
      false,
    ]);
    clock.advance(LIMITS.refusedRetryMaxMs);
    expect(sender.order.phase).toBe("replaying");
    answered(session.sent.at(-1) as InFlight);
    expect([trouble.failed, unflushed.ahead, sender.order.phase, rewritten.at(-1)]).toEqual([
      false,
      false,
      "open",
      true,
    ]);
  });

  it("has no reads under way when what lies over them may be taken away", () => {
    const { clock, connect, sender, trouble, queue, answered, acknowledge } = setUp();
    acknowledge("log", 0);
    const session = connect();
    for (let turn = 0; turn < 20 && !trouble.failed; turn += 1) {
      answered(session.sent.at(-1) as InFlight, EIO);
      if (!trouble.failed) clock.advance(clock.nextInMs ?? 0);
    }
    const read = queue.admit(request({ length: 3 }), undefined, "user");
    sender.send(read, undefined, "request");
    clock.advance(LIMITS.refusedRetryMaxMs);
    expect(sender.order.phase).toBe("quiescing");
    answered(read);
    expect(sender.order.phase).toBe("replaying");
  });

  it("tries no more when the connection is lost, and begins anew over the next one", () => {
    const { clock, connect, lose, sender, answered, acknowledge } = setUp();
    acknowledge("log", 0);
    answered(connect().sent[0] as InFlight, EIO);
    lose();
    clock.advance(60_000);
    expect([clock.pending, sender.order.phase]).toEqual([0, "away"]);
    expect(connect().hear()).toEqual(["write 0 log"]);
  });
});
