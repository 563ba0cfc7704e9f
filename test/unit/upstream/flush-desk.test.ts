import { describe, expect, it } from "vitest";

import { durabilityCounters } from "../../../src/durability/durability-counters.ts";
import { LIMITS } from "../../../src/limits.ts";
import { COMMAND, NBD_ERROR } from "../../../src/protocol/constants.ts";
import { ByteBudget } from "../../../src/transport/byte-budget.ts";
import { SlabPool } from "../../../src/transport/slab-pool.ts";
import { FlushDesk } from "../../../src/upstream/flush-desk.ts";
import { InFlightTable } from "../../../src/upstream/in-flight-table.ts";
import type { InFlight } from "../../../src/upstream/in-flight.ts";
import { UnflushedLog } from "../../../src/upstream/unflushed-log.ts";
import { WriteLatency } from "../../../src/upstream/write-latency.ts";
import { WriteTrouble } from "../../../src/upstream/write-trouble.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { RecordingLog } from "../support/recording-log.ts";
import { DONE } from "./played-flow.ts";
import { request } from "./requests.ts";

const { EIO, ENOSPC } = NBD_ERROR;
const SLAB_BYTES = 4096;

/** A desk whose server is the test, with a log of 16 slabs. */
function setUp() {
  const clock = new ManualClock();
  const log = new RecordingLog();
  const counters = durabilityCounters();
  const pool = new SlabPool({ slabBytes: SLAB_BYTES, idleSlabs: 4 });
  const budget = new ByteBudget(16 * SLAB_BYTES, 1000);
  const unflushed = new UnflushedLog({ unflushed: "log", clock, pool, budget });
  const table = new InFlightTable();
  /** What went on, in order: FLUSHes sent, rewrites, and who was answered with what. */
  const story: string[] = [];
  const world = { maySend: true, onFailing: (): void => undefined };
  const trouble = new WriteTrouble({
    clock,
    log,
    changed: (failed) => {
      story.push(failed ? "failed" : "works");
      world.onFailing();
    },
  });
  const answers: ((error: number) => void)[] = [];
  const latency = new WriteLatency(clock);
  const desk = new FlushDesk({
    ...{ clock, log, counters, unflushed, trouble, latency },
    maySend: () => world.maySend,
    send: (answered) => {
      story.push("flush");
      answers.push((error) => answered({ ...DONE, error }));
    },
    rewrite: () => story.push("rewrite"),
    complete: (entry, { error }) => {
      story.push(`${entry.owner === undefined ? "client" : (entry.owner as { name: string }).name}: ${error}`);
    },
  });
  const client = (name: string): InFlight => table.add(request({ command: COMMAND.FLUSH }), { name });
  let offset = 0;
  /** A write of so many bytes, somewhere else each time, is acknowledged. */
  const acknowledge = (bytes = 4): void => {
    offset += 2 * bytes;
    unflushed.acknowledged(table.add(request({ text: "x".repeat(bytes), offset }), undefined), false, false);
    desk.acknowledged();
  };
  /** Many zeros are acknowledged, which take no memory. */
  const acknowledgeZeros = (length: number): void => {
    const zeros = request({ command: COMMAND.WRITE_ZEROES, offset, length });
    offset += 2 * length;
    unflushed.acknowledged(table.add(zeros, undefined), false, false);
    desk.acknowledged();
  };
  /** The server answers the FLUSH that it has. */
  const answer = (error = 0): void => answers.at(-1)?.(error);
  /** What went on since this was last asked. */
  const hear = (): string[] => story.splice(0);
  /** The server takes so long for a write. */
  const takeLong = (ms: number): void => {
    const write = table.add(request({ text: "late" }), undefined);
    latency.sent(write);
    clock.advance(ms);
    latency.answered(write);
  };
  const play = { client, acknowledge, acknowledgeZeros, answer, hear, takeLong };
  return { clock, log, counters, unflushed, trouble, desk, world, ...play };
}

describe("FlushDesk", () => {
  it("sends a FLUSH for who asks, and answers with what the server said", () => {
    const { desk, client, answer, hear, counters } = setUp();
    desk.join(client("a"));
    expect(hear()).toEqual(["flush"]);
    answer();
    expect(hear()).toEqual(["a: 0"]);
    desk.join(client("b"));
    answer(ENOSPC);
    expect(hear()).toEqual(["flush", `b: ${ENOSPC}`]);
    expect([counters.ownFlushes, counters.failedFlushes]).toEqual([0, 1]);
  });

  it("has one at the server at a time: who asks meanwhile shares the next one", () => {
    const { desk, client, answer, hear } = setUp();
    for (const name of ["a", "b", "c"]) desk.join(client(name));
    expect(hear()).toEqual(["flush"]);
    answer();
    expect(hear()).toEqual(["a: 0", "flush"]);
    answer();
    expect(hear()).toEqual(["b: 0", "c: 0"]);
  });

  it("waits until one may be sent", () => {
    const { desk, client, hear, world } = setUp();
    world.maySend = false;
    desk.join(client("a"));
    desk.pump();
    expect(hear()).toEqual([]);
    world.maySend = true;
    desk.pump();
    desk.pump();
    expect(hear()).toEqual(["flush"]);
  });

  it("flushes sooner as long as that takes next to no time", () => {
    const { clock, answer, acknowledgeZeros, hear } = setUp();
    const many = LIMITS.cheapFlushBytes;
    acknowledgeZeros(many);
    expect(hear()).toEqual(["flush"]);
    clock.advance(LIMITS.cheapFlushMs);
    answer();
    acknowledgeZeros(many - 1);
    expect(hear()).toEqual([]);
    acknowledgeZeros(1);
    expect(hear()).toEqual(["flush"]);
    // What comes meanwhile is none of its business, but the next one's.
    acknowledgeZeros(many);
    clock.advance(LIMITS.cheapFlushMs);
    answer();
    expect(hear()).toEqual(["flush"]);
    clock.advance(LIMITS.cheapFlushMs + 1);
    answer();
    acknowledgeZeros(2 * many - 1);
    expect(hear()).toEqual([]);
    acknowledgeZeros(1);
    expect(hear()).toEqual(["flush"]);
    clock.advance(LIMITS.cheapFlushMs + 1);
    answer();
    acknowledgeZeros(4 * many - 1);
    expect(hear()).toEqual([]);
    acknowledgeZeros(1);
    expect(hear()).toEqual(["flush"]);
    answer();
    acknowledgeZeros(many);
    expect(hear()).toEqual(["flush"]);
  });

  it("takes the time of a write off that of a FLUSH, which waits behind the same requests", () => {
    const { clock, answer, acknowledgeZeros, hear, takeLong } = setUp();
    const flushIn = (ms: number): string[] => {
      acknowledgeZeros(LIMITS.cheapFlushBytes);
      clock.advance(ms);
      answer();
      return hear();
    };
    const slowMs = LIMITS.cheapFlushMs + 7;
    takeLong(7);
    expect(flushIn(slowMs)).toEqual(["flush"]);
    expect(flushIn(slowMs + 1)).toEqual(["flush"]);
    expect(flushIn(slowMs)).toEqual([]);
  });

  it("trims exactly what was acknowledged when the FLUSH was sent", () => {
    const { desk, client, answer, acknowledge, unflushed } = setUp();
    acknowledge();
    acknowledge();
    desk.join(client("a"));
    acknowledge();
    expect(unflushed.unstableBytes).toBe(12);
    answer();
    expect(unflushed.unstableBytes).toBe(4);
  });

  it("flushes on its own account only where there is something to flush", () => {
    const { desk, answer, acknowledge, hear, counters } = setUp();
    desk.want();
    expect(hear()).toEqual([]);
    acknowledge();
    desk.want();
    desk.want();
    answer();
    expect([hear(), counters.ownFlushes]).toEqual([["flush", "flush"], 2]);
  });

  it("does not answer who has left, before the FLUSH was sent or after", () => {
    const { desk, client, answer, hear } = setUp();
    const [first, second, third] = [client("a"), client("b"), client("c")];
    for (const one of [first, second, third]) desk.join(one);
    desk.leave(first);
    desk.leave(second);
    answer();
    answer();
    expect(hear()).toEqual(["flush", "flush", "c: 0"]);
  });

  it("does not answer who leaves while others are answered", () => {
    const { desk, client, answer, hear, world } = setUp();
    const [first, second] = [client("a"), client("b")];
    world.maySend = false;
    for (const one of [first, second]) desk.join(one);
    world.maySend = true;
    desk.pump();
    (first.owner as { name: string }).name = "a";
    Object.defineProperty(first.owner, "name", {
      get: () => {
        desk.leave(second);
        return "a";
      },
    });
    answer();
    expect(hear()).toEqual(["flush", "a: 0"]);
  });

  it("asks again over the next connection for everybody who waited, with one FLUSH", () => {
    const { desk, client, answer, hear, world } = setUp();
    desk.join(client("a"));
    desk.join(client("b"));
    world.maySend = false;
    desk.lost();
    desk.pump();
    expect(hear()).toEqual(["flush"]);
    world.maySend = true;
    desk.pump();
    answer();
    expect(hear()).toEqual(["flush", "a: 0", "b: 0"]);
  });
});

describe("FlushDesk as time goes by", () => {
  it("flushes when the oldest write has waited for five seconds, and again five seconds after the next one", () => {
    const { clock, acknowledge, answer, hear, unflushed } = setUp();
    acknowledge();
    clock.advance(LIMITS.flushAgeMs - 1000);
    acknowledge();
    clock.advance(999);
    expect(hear()).toEqual([]);
    clock.advance(2);
    expect(hear()).toEqual(["flush"]);
    clock.advance(60_000);
    answer();
    expect([hear(), unflushed.entries, clock.pending]).toEqual([[], 0, 0]);
    acknowledge();
    clock.advance(LIMITS.flushAgeMs + 1);
    expect(hear()).toEqual(["flush"]);
  });

  it("counts from the first write that no FLUSH covers", () => {
    const { clock, desk, client, acknowledge, answer, hear } = setUp();
    acknowledge();
    clock.advance(3000);
    desk.join(client("a"));
    clock.advance(1000);
    acknowledge();
    answer();
    expect(hear()).toEqual(["flush", "a: 0"]);
    clock.advance(LIMITS.flushAgeMs - 1);
    expect(hear()).toEqual([]);
    clock.advance(2);
    expect(hear()).toEqual(["flush"]);
  });

  it("counts a write that a lost or failed FLUSH covered from when it was acknowledged", () => {
    const { clock, desk, acknowledge, hear, unflushed } = setUp();
    acknowledge();
    clock.advance(3000);
    desk.want();
    desk.lost();
    expect([hear(), unflushed.age.oldestMs]).toEqual([["flush"], 0]);
    clock.advance(2001);
    expect(hear()).toEqual(["flush"]);
  });

  it("flushes when half of the memory is used, and goes on as long as that is so", () => {
    const { acknowledge, answer, hear, unflushed } = setUp();
    for (let count = 0; count < 7; count += 1) acknowledge(SLAB_BYTES);
    expect(hear()).toEqual([]);
    acknowledge(SLAB_BYTES);
    expect(hear()).toEqual(["flush"]);
    for (let count = 0; count < 8; count += 1) acknowledge(SLAB_BYTES);
    expect(hear()).toEqual([]);
    answer();
    expect([hear(), unflushed.entries]).toEqual([["flush"], 8]);
    answer();
    expect([hear(), unflushed.entries]).toEqual([[], 0]);
  });

  it("has no timer while there is nothing to flush, nor after it was closed", () => {
    const { clock, desk, acknowledge } = setUp();
    expect(clock.pending).toBe(0);
    acknowledge();
    acknowledge();
    expect(clock.pending).toBe(1);
    desk.close();
    expect(clock.pending).toBe(0);
  });
});

describe("FlushDesk whose FLUSH failed", () => {
  it("has everything written again before the next one, after a pause, and trims nothing before that", () => {
    const { clock, desk, client, acknowledge, answer, hear, unflushed, log } = setUp();
    acknowledge();
    desk.join(client("a"));
    desk.join(client("b"));
    answer(EIO);
    expect(hear()).toEqual(["flush", "a: 5"]);
    expect([unflushed.entries, log.lines]).toEqual([1, ["warning: the server failed to flush (error 5)"]]);
    desk.pump();
    expect(hear()).toEqual([]);
    clock.advance(LIMITS.refusedRetryMs);
    expect(hear()).toEqual(["rewrite"]);
    desk.rewritten();
    desk.pump();
    expect(hear()).toEqual(["flush"]);
    answer();
    expect([hear(), unflushed.entries]).toEqual([["b: 0"], 0]);
  });

  it("has it written again until all of it could be", () => {
    const { clock, desk, client, answer, hear } = setUp();
    desk.join(client("a"));
    answer(EIO);
    desk.join(client("b"));
    clock.advance(LIMITS.refusedRetryMs);
    desk.incomplete();
    desk.pump();
    expect(hear()).toEqual(["flush", "a: 5", "rewrite", "rewrite"]);
  });

  it("tells the next who flushes of its own failure, once", () => {
    const { desk, acknowledge, answer, hear, counters, log } = setUp();
    acknowledge();
    desk.want();
    answer(ENOSPC);
    expect(log.of("error")).toEqual(["the server failed to flush (error 28); the next client that flushes is told"]);
    expect([desk.takeLatched(), desk.takeLatched()]).toEqual([ENOSPC, 0]);
    expect([counters.latchedErrors, counters.failedFlushes, hear()]).toEqual([1, 1, ["flush"]]);
  });

  it("has told those who asked: nobody else is to be told", () => {
    const { desk, client, acknowledge, answer } = setUp();
    acknowledge();
    desk.want();
    desk.join(client("a"));
    answer();
    answer(EIO);
    expect(desk.takeLatched()).toBe(0);
  });

  it("tells the next one as well when those who asked have left", () => {
    const { desk, client, answer } = setUp();
    const leaver = client("a");
    desk.join(leaver);
    desk.leave(leaver);
    answer(EIO);
    expect(desk.takeLatched()).toBe(EIO);
  });

  it("lets the export fail when there is no room left, and does not answer who was answered because of that", () => {
    const { clock, desk, client, acknowledge, answer, hear, trouble, world } = setUp();
    for (let count = 0; count < 8; count += 1) acknowledge(SLAB_BYTES);
    answer(EIO);
    // The pauses of ten seconds: 0.1 + 0.2 + 0.4 + 0.8 + 1.6 + 3.2 s, and another one.
    for (let turn = 0; turn < 6; turn += 1) {
      clock.advance(clock.nextInMs ?? 0);
      desk.rewritten();
      desk.pump();
      answer(EIO);
    }
    expect(trouble.failed).toBe(false);
    const waiting = client("a");
    desk.join(waiting);
    clock.advance(LIMITS.refusedRetryMaxMs);
    desk.rewritten();
    desk.pump();
    hear();
    world.onFailing = () => desk.leave(waiting);
    answer(EIO);
    expect([hear(), trouble.failed]).toEqual([["failed"], true]);
  });

  it("works again after a FLUSH that succeeded", () => {
    const { clock, desk, acknowledge, answer, hear, trouble } = setUp();
    for (let count = 0; count < 8; count += 1) acknowledge(SLAB_BYTES);
    for (let turn = 0; turn < 20 && !trouble.failed; turn += 1) {
      answer(EIO);
      clock.advance(LIMITS.refusedRetryMaxMs);
      desk.rewritten();
      desk.pump();
    }
    expect(hear().at(-1)).toBe("flush");
    answer();
    expect([hear(), trouble.failed]).toEqual([["works"], false]);
  });
});
