import { describe, expect, it } from "vitest";

import { LIMITS } from "../../../src/limits.ts";
import { COMMAND, COMMAND_FLAG, NBD_ERROR, TRANSMISSION_FLAG } from "../../../src/protocol/constants.ts";
import { ALL_FLAGS } from "../support/negotiation.ts";
import { DONE, playFlow } from "./played-flow.ts";
import { request } from "./requests.ts";

// A new connection: first the log, then the writes that were sent before, then everything else, then a FLUSH of our own.

const { CACHE, FLUSH, TRIM, WRITE_ZEROES } = COMMAND;
const { EIO, ENOSPC } = NBD_ERROR;
const F = TRANSMISSION_FLAG;
const write = (offset: number, text: string, flags = 0) => request({ text, offset, flags });
const read = (offset: number, length = 1) => request({ offset, length });
const errors = (asked: readonly ReturnType<typeof request>[]): number[][] =>
  asked.map(({ answers }) => answers.map(({ error }) => error));

/** A flow that lost its connection with something in the log, something under way, and something that was not sent. */
function lost() {
  const played = playFlow();
  const { flow, connect, serve } = played;
  const before = connect();
  for (const one of [write(0, "log"), write(10, "more log")]) flow.submit(one, undefined);
  serve(before);
  const asked = [read(60), write(20, "sent"), write(30, "sent too"), request({ command: FLUSH }), write(21, "waits")];
  for (const one of asked) flow.submit(one, undefined);
  flow.lost();
  const late = [write(40, "new"), read(50), request({ command: CACHE, offset: 5, length: 1 })];
  for (const one of late) flow.submit(one, undefined);
  return { ...played, asked, late };
}

describe("RequestFlow over a new connection", () => {
  it("goes step by step, and lets nothing pass", () => {
    const { flow, connect, reply, asked, late } = lost();
    const session = connect();
    expect(session.hear()).toEqual(["write 0 log", "write 10 more log"]);
    reply(session, 1);
    flow.submit(read(70), undefined);
    expect(session.hear()).toEqual([]);
    reply(session, 0);
    expect(session.hear()).toEqual(["write 20 sent", "write 30 sent too"]);
    reply(session, 3);
    expect([session.hear(), flow.open]).toEqual([[], false]);
    reply(session, 2);
    expect(session.hear()).toEqual([
      "read 60+1",
      "write 21 waits",
      "write 40 new",
      "read 50+1",
      "command 5",
      "read 70+1",
      "flush",
    ]);
    expect(flow.open).toBe(true);
    for (let index = 4; index < session.sent.length; index += 1) reply(session, index);
    expect(errors([...asked, ...late])).toEqual([...asked, ...late].map(() => [0]));
    expect(flow.held).toBe(0);
  });

  it("begins again with all of it when it is lost at any step", () => {
    for (let answered = 0; answered < 4; answered += 1) {
      const { flow, connect, reply, serve } = lost();
      const first = connect();
      for (let index = 0; index < answered; index += 1) reply(first, index);
      flow.lost();
      const session = connect();
      expect(session.hear().slice(0, 2)).toEqual(["write 0 log", "write 10 more log"]);
      serve(session);
      expect([flow.held, flow.open]).toEqual([0, true]);
    }
  });

  it("sums up what it came to", () => {
    const { connect, serve, summaries, counters } = lost();
    serve(connect());
    // Two writes and the READ; what waited was never sent, and the FLUSH was not sent itself.
    expect(summaries.slice(1)).toEqual([{ resentRequests: 3, replayedBytes: 11, pinnedBytes: 12 }]);
    expect(counters).toMatchObject({ resentRequests: 3, replays: 1, replayedFragments: 2, replayedBytes: 11 });
  });

  it("covers with its FLUSH what was written again, once it is answered", () => {
    const { flow, connect, serve } = playFlow();
    const before = connect();
    flow.submit(write(0, "log"), undefined);
    serve(before);
    flow.lost();
    const session = connect();
    expect([serve(session), flow.unflushed.entries]).toEqual([["write 0 log", "flush"], 0]);
    flow.lost();
    expect(connect().sent).toEqual([]);
  });

  it("does not count a FLUSH that was sent over the connection before", () => {
    const { flow, connect, reply, serve } = playFlow();
    const before = connect();
    flow.submit(write(0, "log"), undefined);
    reply(before, 0);
    const asked = request({ command: FLUSH });
    flow.submit(asked, undefined);
    flow.lost();
    // Its late answer finds nobody: it is not known what it covered.
    expect(flow.find(before.sent[1]?.cookieHigh ?? 0, before.sent[1]?.cookieLow ?? 0)).toBeUndefined();
    expect(asked.answers).toEqual([]);
    expect(serve(connect())).toEqual(["write 0 log", "flush"]);
    expect(asked.answers).toHaveLength(1);
  });

  it("writes a large log again in pieces, and no more at once than the server should hold", () => {
    const { flow, connect, serve } = playFlow();
    const before = connect();
    for (let index = 0; index < 600; index += 1) flow.submit(write(index * 10, "x"), undefined);
    serve(before);
    flow.lost();
    const session = connect();
    expect(session.sent).toHaveLength(LIMITS.replayWindowRequests);
    expect(serve(session)).toHaveLength(601);
    expect(flow.unflushed.entries).toBe(0);
  });
});

describe("RequestFlow over a connection to a server that offers less", () => {
  it("writes the log again as well as that server can", () => {
    const { flow, connect, serve } = playFlow();
    const before = connect();
    for (const one of [
      write(0, "data"),
      request({ command: WRITE_ZEROES, offset: 10, length: 3 }),
      request({ command: TRIM, offset: 20, length: 3 }),
    ]) {
      flow.submit(one, undefined);
    }
    serve(before);
    flow.lost();
    const poor = connect(F.HAS_FLAGS | F.SEND_FLUSH);
    expect(serve(poor)).toEqual(["write 0 data", "write 10 \0\0\0", "flush"]);
    expect(flow.unflushed.entries).toBe(0);
  });

  it("writes zeros out over several connections, and from the first one each time", () => {
    const MIB = 1024 * 1024;
    const { flow, connect, reply } = playFlow();
    const offered = ALL_FLAGS & ~F.SEND_WRITE_ZEROES;
    const zeroes = request({ command: WRITE_ZEROES, length: 2 * MIB });
    flow.submit(zeroes, undefined);
    const first = connect(offered);
    reply(first, 0);
    expect(first.lines).toEqual([`1/0 at 0+${MIB}`, `1/0 at ${MIB}+${MIB}`]);
    flow.lost();
    const second = connect(offered);
    expect(second.lines).toEqual([`1/0 at 0+${MIB}`]);
    reply(second, 0);
    reply(second, 1);
    expect(zeroes.answers).toHaveLength(1);
  });
});

describe("RequestFlow whose log is refused", () => {
  /** Over a connection whose server refuses the log, until there is no hope. */
  function refused() {
    const played = lost();
    const { flow, connect, answerable, clock } = played;
    const session = connect();
    for (let turn = 0; turn < 20 && !flow.failed; turn += 1) {
      for (const entry of session.sent.filter((one) => answerable(session, one))) {
        flow.replied(entry, { ...DONE, error: ENOSPC });
      }
      if (!flow.failed) clock.advance(LIMITS.refusedRetryMaxMs);
    }
    return { ...played, session };
  }

  it("tries again while there is hope, and everything waits", () => {
    const { flow, connect, reply, clock, asked, serve } = lost();
    const session = connect();
    reply(session, 0, ENOSPC);
    reply(session, 1);
    expect(session.hear()).toHaveLength(2);
    clock.advance(LIMITS.refusedRetryMs);
    expect(session.hear()).toEqual(["write 0 log", "write 10 more log"]);
    expect(errors(asked)).toEqual(asked.map(() => []));
    serve(session);
    expect([flow.failed, flow.held]).toEqual([false, 0]);
  });

  it("refuses writes and FLUSHes when there is none, but serves reads, with what the server lacks laid over", () => {
    const { flow, session, asked, late, show, log, budget, reply } = refused();
    expect([flow.failed, flow.open, budget.keptBytes]).toEqual([true, true, 0]);
    expect(log.of("error")).toEqual([
      "the server does not take what it acknowledged before: writes fail until it does",
    ]);
    expect(errors(asked)).toEqual([[], [EIO], [EIO], [EIO], [EIO]]);
    expect(errors(late)).toEqual([[EIO], [], []]);
    const now = [write(80, "no"), write(80, "no", COMMAND_FLAG.FUA), request({ command: FLUSH }), read(8, 12)];
    for (const one of now) flow.submit(one, undefined);
    expect(errors(now)).toEqual([[EIO], [EIO], [EIO], []]);
    expect(session.hear().slice(-4)).toEqual(["read 60+1", "read 50+1", "command 5", "read 8+12"]);
    reply(session, session.sent.length - 2);
    show(session, session.sent.length - 1, "stale stale!");
    expect(String(now[3]?.answers[0]?.data)).toBe("stmore loge!");
  });

  it("takes writes again when the server has taken the log", () => {
    const { flow, session, clock, serve, asked } = refused();
    clock.advance(LIMITS.refusedRetryMaxMs);
    serve(session);
    expect([flow.failed, flow.unflushed.entries, flow.held]).toEqual([false, 0, 0]);
    expect(asked[0]?.answers).toHaveLength(1);
    const taken = [write(80, "yes"), request({ command: FLUSH }), read(10, 8)];
    for (const one of taken) flow.submit(one, undefined);
    serve(session);
    expect(errors(taken)).toEqual([[0], [0], [0]]);
    // Nothing lies over it any more.
    expect(String(taken[2]?.answers[0]?.data)).toBe("........");
  });

  it("keeps the log when it fails: the next server may take it", () => {
    const { flow, connect, serve } = refused();
    flow.lost();
    const next = connect();
    expect(serve(next).slice(0, 2)).toEqual(["write 0 log", "write 10 more log"]);
    expect([flow.failed, flow.unflushed.entries]).toEqual([false, 0]);
  });

  it("refuses writes while there is no connection either, and holds reads", () => {
    const { flow } = refused();
    flow.lost();
    const asked = [write(80, "no"), request({ command: FLUSH }), read(90)];
    for (const one of asked) flow.submit(one, undefined);
    expect(errors(asked)).toEqual([[EIO], [EIO], []]);
  });

  it("does not mind a refused TRIM: what that leaves is not defined", () => {
    const { flow, connect, reply, serve } = playFlow();
    const before = connect();
    flow.submit(request({ command: TRIM, length: 4 }), undefined);
    serve(before);
    flow.lost();
    const session = connect();
    reply(session, 0, EIO);
    expect([session.hear(), flow.open]).toEqual([["trim 0+4", "flush"], true]);
  });
});
