import { describe, expect, it } from "vitest";

import { LIMITS } from "../../../src/limits.ts";
import { COMMAND, COMMAND_FLAG, NBD_ERROR, TRANSMISSION_FLAG } from "../../../src/protocol/constants.ts";
import { ByteBudget } from "../../../src/transport/byte-budget.ts";
import { ALL_FLAGS } from "../support/negotiation.ts";
import { playFlow } from "./played-flow.ts";
import { request } from "./requests.ts";

// One FLUSH is at the server at a time. It answers who asked before it was sent, and covers what was acknowledged by then.

const { EIO, ENOSPC } = NBD_ERROR;
const write = (offset: number, text: string, flags = 0) => request({ text, offset, flags });
const flush = () => request({ command: COMMAND.FLUSH });
const errors = (asked: readonly ReturnType<typeof request>[]): number[][] =>
  asked.map(({ answers }) => answers.map(({ error }) => error));

describe("RequestFlow that is asked to FLUSH", () => {
  it("sends one at a time: who asks meanwhile shares the next one", () => {
    const { flow, connect, reply } = playFlow();
    const session = connect();
    const asked = [flush(), flush(), flush()];
    for (const one of asked) flow.submit(one, undefined);
    expect(session.hear()).toEqual(["flush"]);
    reply(session, 0);
    expect([errors(asked), session.hear()]).toEqual([[[0], [], []], ["flush"]]);
    reply(session, 1);
    expect([errors(asked), session.hear()]).toEqual([[[0], [0], [0]], []]);
  });

  it("covers what was acknowledged when it was sent, and no more", () => {
    const { flow, connect, reply, serve } = playFlow();
    const session = connect();
    for (const one of [write(0, "covered"), write(10, "late"), flush()]) flow.submit(one, undefined);
    expect(session.hear()).toEqual(["write 0 covered", "write 10 late", "flush"]);
    reply(session, 0);
    // This one was sent before "covered" was acknowledged.
    reply(session, 2);
    flow.submit(flush(), undefined);
    reply(session, 1);
    reply(session, 3);
    flow.lost();
    expect(serve(connect())).toEqual(["write 10 late", "flush"]);
  });

  it("does not trim a range that was written anew after it was sent", () => {
    const { flow, connect, reply, serve } = playFlow();
    const session = connect();
    flow.submit(write(0, "old old"), undefined);
    reply(session, 0);
    flow.submit(flush(), undefined);
    flow.submit(write(4, "new"), undefined);
    reply(session, 2);
    reply(session, 1);
    flow.lost();
    expect(serve(connect())).toEqual(["write 4 new", "flush"]);
  });

  it("answers a write with FUA when it is flushed, where the server has no FUA any more, and others with it", () => {
    const { flow, connect, reply } = playFlow();
    const session = connect(ALL_FLAGS & ~TRANSMISSION_FLAG.SEND_FUA);
    const asked = [write(0, "abc", COMMAND_FLAG.FUA), write(2, "xyz"), flush()];
    flow.submit(asked[0] as ReturnType<typeof write>, undefined);
    flow.submit(asked[1] as ReturnType<typeof write>, undefined);
    reply(session, 0);
    // It is written, and does not keep others back.
    expect(session.hear()).toEqual(["write 0 abc", "write 2 xyz", "flush"]);
    flow.submit(asked[2] as ReturnType<typeof write>, undefined);
    reply(session, 1);
    expect([errors(asked), session.hear()]).toEqual([[[], [0], []], []]);
    reply(session, 2);
    expect([errors(asked), session.hear()]).toEqual([[[0], [0], []], ["flush"]]);
    reply(session, 3);
    expect(errors(asked)).toEqual([[0], [0], [0]]);
  });

  it("asks again over the next connection, when everything is written again", () => {
    const { flow, connect, reply } = playFlow();
    const before = connect();
    const asked = [write(0, "abc"), flush(), flush()];
    flow.submit(asked[0] as ReturnType<typeof write>, undefined);
    reply(before, 0);
    for (const one of asked.slice(1)) flow.submit(one, undefined);
    flow.lost();
    const after = connect();
    expect(after.hear()).toEqual(["write 0 abc"]);
    reply(after, 0);
    expect(after.hear()).toEqual(["flush"]);
    reply(after, 1);
    expect([errors(asked), after.hear(), flow.held]).toEqual([[[0], [0], [0]], [], 0]);
  });

  it("does not answer a client that has left", () => {
    const { flow, connect, reply } = playFlow();
    const session = connect();
    const leaver = {};
    const asked = [flush(), flush()];
    flow.submit(asked[0] as ReturnType<typeof flush>, leaver);
    flow.submit(asked[1] as ReturnType<typeof flush>, leaver);
    flow.drop(leaver, NBD_ERROR.ESHUTDOWN);
    reply(session, 0);
    expect([errors(asked), session.hear(), flow.held]).toEqual([[[108], [108]], ["flush"], 0]);
  });
});

describe("RequestFlow that nobody asks to FLUSH", () => {
  it("does so when the oldest write is five seconds old", () => {
    const { flow, connect, serve, clock, counters } = playFlow();
    const session = connect();
    flow.submit(write(0, "abc"), undefined);
    serve(session);
    clock.advance(LIMITS.flushAgeMs);
    expect(session.hear()).toEqual([]);
    clock.advance(1);
    expect(session.hear()).toEqual(["flush"]);
    serve(session);
    clock.advance(3_600_000);
    expect([session.hear(), flow.unflushed.entries, counters.ownFlushes, clock.pending]).toEqual([[], 0, 1, 0]);
  });

  it("does so when half of the budget is used", () => {
    const { flow, connect, serve } = playFlow({ budget: new ByteBudget(8 * 4096, 1000) });
    const session = connect();
    for (let index = 0; index < 3; index += 1) flow.submit(write(index * 4096, "x".repeat(4096)), undefined);
    expect(serve(session)).toHaveLength(3);
    flow.submit(write(3 * 4096, "x".repeat(4096)), undefined);
    expect(serve(session).slice(1)).toEqual(["flush"]);
    expect(flow.unflushed.entries).toBe(0);
  });

  it("does so for many small writes as well", () => {
    const { flow, connect, serve } = playFlow({ budget: new ByteBudget(LIMITS.budgetBytes, 20) });
    const session = connect();
    for (let index = 0; index < 9; index += 1) flow.submit(write(index * 2, "x"), undefined);
    expect(serve(session)).toHaveLength(9);
    flow.submit(write(100, "x"), undefined);
    expect(serve(session)).toEqual(["write 100 x", "flush"]);
  });

  it("does not for writes that it does not keep", () => {
    const { flow, connect, serve, clock } = playFlow({ unflushed: "off" });
    const session = connect();
    flow.submit(write(0, "abc"), undefined);
    serve(session);
    clock.advance(3_600_000);
    expect([session.hear(), clock.pending]).toEqual([[], 0]);
  });

  it("does so for who closes the disk, and tells of that FLUSH alone", () => {
    const { flow, connect, reply, serve, clock } = playFlow();
    const session = connect();
    flow.submit(write(0, "abc"), undefined);
    reply(session, 0);
    flow.flushSoon();
    reply(session, 1, ENOSPC);
    const told: number[] = [];
    flow.flush((error) => told.push(error));
    expect([told, session.hear()]).toEqual([[], ["write 0 abc", "flush"]]);
    clock.advance(LIMITS.refusedRetryMs);
    serve(session);
    expect(told).toEqual([0]);
    // The failure before it is still to be told to a client.
    const asked = flush();
    flow.submit(asked, undefined);
    expect(errors([asked])).toEqual([[ENOSPC]]);
  });
});

describe("RequestFlow whose FLUSH failed", () => {
  it("writes everything again before the next one may count", () => {
    const { flow, connect, reply, serve, clock, counters } = playFlow();
    const session = connect();
    const asked = [flush(), flush()];
    flow.submit(write(0, "abc"), undefined);
    reply(session, 0);
    flow.submit(asked[0] as ReturnType<typeof flush>, undefined);
    reply(session, 1, EIO);
    flow.submit(asked[1] as ReturnType<typeof flush>, undefined);
    session.hear();
    clock.advance(LIMITS.refusedRetryMs);
    expect(session.hear()).toEqual(["write 0 abc"]);
    reply(session, 2);
    expect([session.hear(), errors(asked)]).toEqual([["flush"], [[EIO], []]]);
    serve(session);
    expect([errors(asked), flow.unflushed.entries]).toEqual([[[EIO], [0]], 0]);
    expect(counters).toMatchObject({ failedFlushes: 1, replays: 1, replayedBytes: 3 });
  });

  it("holds new requests meanwhile, and waits for the writes under way, so that nothing older is written over them", () => {
    const { flow, connect, reply, clock } = playFlow();
    const session = connect();
    flow.submit(write(0, "old"), undefined);
    reply(session, 0);
    flow.submit(flush(), undefined);
    flow.submit(write(1, "new"), undefined);
    reply(session, 1, EIO);
    session.hear();
    clock.advance(LIMITS.refusedRetryMs);
    const held = [write(50, "held"), request({ offset: 0, length: 2 })];
    for (const one of held) flow.submit(one, undefined);
    expect([session.hear(), flow.open]).toEqual([[], false]);
    reply(session, 2);
    expect(session.hear()).toEqual(["write 0 onew"]);
    reply(session, 3);
    expect(session.hear()).toEqual(["write 50 held", "read 0+2", "flush"]);
  });

  it("tells the next client that flushes of its own failure, once", () => {
    for (const next of [flush(), write(50, "durable", COMMAND_FLAG.FUA)]) {
      const { flow, connect, reply, clock, counters } = playFlow();
      const session = connect();
      flow.submit(write(0, "abc"), undefined);
      reply(session, 0);
      clock.advance(LIMITS.flushAgeMs + 1);
      reply(session, 1, ENOSPC);
      const plain = write(60, "plain");
      flow.submit(plain, undefined);
      reply(session, 2);
      const asked = [next, flush()];
      for (const one of asked) flow.submit(one, undefined);
      expect([errors([plain, ...asked]), counters.latchedErrors]).toEqual([[[0], [ENOSPC], []], 1]);
    }
  });

  it("does so over the next connection as well", () => {
    const { flow, connect, reply, clock } = playFlow();
    const session = connect();
    flow.submit(write(0, "abc"), undefined);
    reply(session, 0);
    clock.advance(LIMITS.flushAgeMs + 1);
    reply(session, 1, EIO);
    flow.lost();
    const asked = flush();
    flow.submit(asked, undefined);
    expect(errors([asked])).toEqual([[EIO]]);
  });

  it("asks again and again, ever more slowly, and refuses no write while there is room", () => {
    const { flow, connect, reply, clock, serve } = playFlow();
    const session = connect();
    flow.submit(write(0, "abc"), undefined);
    reply(session, 0);
    clock.advance(LIMITS.flushAgeMs + 1);
    for (let turn = 0; turn < 20; turn += 1) {
      const index = session.sent.findLastIndex(({ command }) => command === COMMAND.FLUSH);
      reply(session, index, EIO);
      clock.advance(LIMITS.refusedRetryMaxMs);
      reply(session, session.sent.length - 1);
    }
    expect(flow.failed).toBe(false);
    const asked = write(50, "still taken");
    flow.submit(asked, undefined);
    serve(session);
    expect(errors([asked])).toEqual([[0]]);
  });

  it("refuses writes when there is no room and no hope, answers everybody once, and works again when it can", () => {
    const { flow, connect, reply, clock, serve, budget, log } = playFlow({ budget: new ByteBudget(60, 1000) });
    const session = connect();
    // With its header this is more than half.
    flow.submit(write(0, "abc"), undefined);
    reply(session, 0);
    expect(session.hear()).toEqual(["write 0 abc", "flush"]);
    const waiting: ReturnType<typeof flush>[] = [];
    for (let turn = 0; turn < 20 && !flow.failed; turn += 1) {
      const one = flush();
      waiting.push(one);
      flow.submit(one, undefined);
      reply(session, session.sent.length - 1, EIO);
      if (flow.failed) break;
      clock.advance(LIMITS.refusedRetryMaxMs);
      reply(session, session.sent.length - 1);
    }
    expect([flow.failed, budget.keptBytes]).toEqual([true, 0]);
    expect(waiting.length).toBeGreaterThan(2);
    // The first FLUSH was the proxy's own: who asked next was told of it.
    expect(errors(waiting)).toEqual(waiting.map(() => [EIO]));
    const refused = [write(50, "no"), flush(), request({ command: COMMAND.TRIM, length: 1 })];
    const read = request({ offset: 0, length: 3 });
    for (const one of [...refused, read]) flow.submit(one, undefined);
    expect(errors(refused)).toEqual([[EIO], [EIO], [EIO]]);
    clock.advance(LIMITS.refusedRetryMaxMs);
    serve(session);
    expect([flow.failed, read.answers.length, flow.unflushed.entries]).toEqual([false, 1, 0]);
    expect(log.of("warning").at(-1)).toBe("the server takes writes again");
    const taken = write(50, "yes");
    flow.submit(taken, undefined);
    serve(session);
    expect(errors([taken])).toEqual([[0]]);
  });
});
