import { describe, expect, it } from "vitest";

import { LIMITS } from "../../../src/limits.ts";
import {
  BASE_ALLOCATION,
  COMMAND,
  COMMAND_FLAG,
  NBD_ERROR,
  TRANSMISSION_FLAG,
} from "../../../src/protocol/constants.ts";
import type { InFlight } from "../../../src/upstream/in-flight.ts";
import { ALL_FLAGS } from "../support/negotiation.ts";
import { playFlow } from "./played-flow.ts";
import { request } from "./requests.ts";

// What BLOCK_STATUS tells must fit to what READs show: what lies over the ones lies over the other.

const { BLOCK_STATUS, FLUSH, TRIM, WRITE_ZEROES } = COMMAND;
const { FUA, REQ_ONE } = COMMAND_FLAG;
const PIN_MS = 60_000;
const HOLE = 3;
const write = (offset: number, text: string) => request({ text, offset });
const status = (offset: number, length: number, flags = 0) => request({ command: BLOCK_STATUS, offset, length, flags });

/** What a client was told, as pairs of length and flags. */
const told = ({ answers }: ReturnType<typeof request>): readonly number[] | undefined => {
  const extents = answers[0]?.statuses?.find(({ context }) => context === BASE_ALLOCATION)?.extents;
  return extents === undefined ? undefined : [...extents];
};

/** A flow over its second connection: `old` was under way over the first one at 10, and was sent again. */
function pinned(options: Parameters<typeof playFlow>[0] = {}) {
  const played = playFlow(options);
  const { flow, connect, serve, tell } = played;
  connect();
  flow.submit(write(10, "old"), undefined);
  flow.lost();
  const session = connect();
  serve(session);
  /** What a client is told when the server says this. */
  const toldOver = (asked: ReturnType<typeof request>, ...extents: number[]): readonly number[] | undefined => {
    flow.submit(asked, undefined);
    tell(session, session.sent.length - 1, ...extents);
    session.hear();
    return told(asked);
  };
  return { ...played, session, toldOver };
}

describe("RequestFlow with a BLOCK_STATUS", () => {
  it("hands on what the server says, whatever the log has", () => {
    const { flow, connect, serve, tell } = playFlow();
    const session = connect();
    flow.submit(write(10, "logged"), undefined);
    serve(session);
    const asked = status(0, 100);
    flow.submit(asked, undefined);
    expect(session.hear()).toEqual(["status 0+100"]);
    tell(session, 1, 60, HOLE, 60, 0);
    expect([told(asked), flow.held]).toEqual([[60, HOLE, 60, 0], 0]);
  });

  it("says that there is data where a pin keeps what was written", () => {
    const { flow, session, serve, toldOver } = pinned();
    expect(toldOver(status(0, 20), 20, HOLE)).toEqual([10, HOLE, 3, 0, 7, HOLE]);
    flow.submit(request({ command: WRITE_ZEROES, offset: 8, length: 3 }), undefined);
    flow.submit(request({ command: TRIM, offset: 12, length: 1 }), undefined);
    serve(session);
    // Of zeros, and of what a TRIM has left, the server's word holds.
    expect(toldOver(status(0, 20), 20, HOLE)).toEqual([11, HOLE, 1, 0, 8, HOLE]);
    expect(toldOver(status(0, 10), 10, HOLE)).toEqual([10, HOLE]);
    expect(toldOver(status(11, 4, REQ_ONE), 4, HOLE)).toEqual([1, 0]);
  });

  it("says so as well where an extent tells more than was asked", () => {
    const { toldOver } = pinned();
    expect(toldOver(status(0, 5), 1000, HOLE)).toEqual([10, HOLE]);
    expect(toldOver(status(11, 1), 1000, HOLE)).toEqual([2, 0]);
  });

  it("leaves other contexts alone", () => {
    const { flow, session, reply } = pinned();
    const asked = status(0, 20);
    flow.submit(asked, undefined);
    const statuses = [
      { context: "x-test:a", extents: Uint32Array.of(20, 7) },
      { context: BASE_ALLOCATION, extents: Uint32Array.of(20, HOLE) },
    ];
    reply(session, session.sent.length - 1, 0, { statuses });
    expect(asked.answers[0]?.statuses).toEqual([
      statuses[0],
      { context: BASE_ALLOCATION, extents: Uint32Array.of(10, HOLE, 3, 0, 7, HOLE) },
    ]);
  });

  it("lays the whole log over it while the server does not take what is in the log", () => {
    const { flow, connect, serve, reply, tell, clock } = playFlow();
    const first = connect();
    flow.submit(write(10, "kept"), undefined);
    serve(first);
    flow.lost();
    const next = connect();
    const refuse = (): void => reply(next, next.sent.length - 1, NBD_ERROR.EIO);
    refuse();
    for (let turn = 0; turn < 10 && !flow.failed; turn += 1) {
      clock.advance(LIMITS.refusedRetryMaxMs + 1);
      if (next.hear().includes("write 10 kept")) refuse();
    }
    expect(flow.failed).toBe(true);
    const asked = status(0, 20);
    flow.submit(asked, undefined);
    tell(
      next,
      next.sent.findLastIndex(({ command }) => command === BLOCK_STATUS),
      20,
      HOLE,
    );
    expect(told(asked)).toEqual([10, HOLE, 4, 0, 6, HOLE]);
  });

  it("hands on an error, and what the server says of it", () => {
    const { flow, session, reply } = pinned();
    const asked = status(0, 20);
    flow.submit(asked, undefined);
    reply(session, session.sent.length - 1, NBD_ERROR.EIO, { detail: { text: "no map", offset: 11 } });
    expect(asked.answers).toEqual([{ error: 5, data: Buffer.alloc(0), detail: { text: "no map", offset: 11 } }]);
  });

  it("is answered with the reply to what stands in for it", () => {
    const { flow, connect, tell } = playFlow();
    const session = connect(ALL_FLAGS & ~TRANSMISSION_FLAG.SEND_FUA);
    const asked = status(0, 20, FUA | REQ_ONE);
    flow.submit(asked, undefined);
    expect(session.lines).toEqual([`${BLOCK_STATUS}/${REQ_ONE} at 0+20`]);
    tell(session, 0, 20, 0);
    expect([told(asked), flow.held]).toEqual([[20, 0], 0]);
  });

  it("is sent again after a loss, behind the writes", () => {
    const { flow, connect, reply, tell } = playFlow();
    connect();
    const asked = status(0, 20);
    flow.submit(asked, undefined);
    flow.submit(write(10, "x"), undefined);
    flow.lost();
    const next = connect();
    expect(next.hear()).toEqual(["write 10 x"]);
    reply(next, 0);
    expect(next.hear().slice(0, 1)).toEqual(["status 0+20"]);
    tell(next, 1, 20, HOLE);
    expect(told(asked)).toEqual([10, HOLE, 1, 0, 9, HOLE]);
  });
});

describe("RequestFlow that gets a late answer to a BLOCK_STATUS", () => {
  it("does not take it when a pin lies on what it may tell of, which may go on behind the request", () => {
    const { flow, connect, tell, answerable } = playFlow();
    const before = connect();
    const [apart, under, inFront] = [status(12, 100), status(10, 5), status(0, 5)];
    for (const one of [apart, under, inFront]) flow.submit(one, undefined);
    flow.submit(write(10, "ab"), undefined);
    flow.lost();
    tell(before, 0, 100, HOLE);
    tell(before, 1, 5, 0);
    tell(before, 2, 5, HOLE);
    expect([apart, under, inFront].map((one) => told(one))).toEqual([[100, HOLE], undefined, undefined]);
    expect([1, 2].map((index) => answerable(before, before.sent[index] as InFlight))).toEqual([false, false]);
    const after = connect();
    expect(after.hear()).toEqual(["write 10 ab"]);
    expect(flow.held).toBe(3);
  });
});

describe("RequestFlow whose pin ends, with a BLOCK_STATUS under way", () => {
  it("waits for it: it may have seen what was there before", () => {
    const { flow, session, reply, tell, clock } = pinned();
    clock.advance(PIN_MS + 1);
    const under = session.sent.length - 1;
    const early = status(0, 20);
    flow.submit(early, undefined);
    reply(session, under);
    expect(flow.unflushed.pins.count).toBe(1);
    tell(session, under + 1, 20, HOLE);
    expect([told(early), flow.unflushed.pins.count]).toEqual([[10, HOLE, 3, 0, 7, HOLE], 0]);
  });
});

describe("RequestFlow with what a server says of errors", () => {
  const detail = { text: "bad sector", offset: undefined };

  it("hands it on with every answer", () => {
    const { flow, connect, reply } = playFlow();
    const session = connect();
    const asked = [request({ length: 4 }), write(0, "x"), request({ command: TRIM, length: 4, offset: 100 })];
    for (const [index, one] of asked.entries()) {
      flow.submit(one, undefined);
      reply(session, index, NBD_ERROR.EIO, { detail });
    }
    expect(asked.map(({ answers }) => answers)).toEqual(asked.map(() => [{ error: 5, data: Buffer.alloc(0), detail }]));
  });

  it("hands it on from a step of what stands in for a request", () => {
    const { flow, connect, reply } = playFlow();
    const session = connect(ALL_FLAGS & ~TRANSMISSION_FLAG.SEND_WRITE_ZEROES);
    const asked = request({ command: WRITE_ZEROES, offset: 0, length: 3 * 1024 * 1024 });
    flow.submit(asked, undefined);
    reply(session, 0);
    reply(session, 1, NBD_ERROR.ENOSPC, { detail: { text: "full", offset: 1024 * 1024 } });
    expect(asked.answers).toEqual([
      { error: 28, data: Buffer.alloc(0), detail: { text: "full", offset: 1024 * 1024 } },
    ]);
  });

  it("tells it those who waited for a FLUSH", () => {
    const { flow, connect, reply } = playFlow();
    const session = connect(ALL_FLAGS & ~TRANSMISSION_FLAG.SEND_FUA);
    const asked = [request({ text: "x", flags: FUA }), request({ command: FLUSH }), request({ text: "y", flags: FUA })];
    for (const one of asked) flow.submit(one, undefined);
    reply(session, 0);
    reply(session, 2);
    // The first FLUSH was sent before either write was there; the second one is for both.
    const flushes = session.sent.filter(({ command }) => command === FLUSH);
    flow.replied(flushes[0] as InFlight, { error: 0, pieces: [], room: undefined });
    const second = session.sent.findLastIndex(({ command }) => command === FLUSH);
    reply(session, second, NBD_ERROR.EIO, { detail });
    const failed = { error: 5, data: Buffer.alloc(0), detail };
    expect(asked.map(({ answers }) => answers)).toEqual([[failed], [{ error: 0, data: Buffer.alloc(0) }], [failed]]);
  });
});
