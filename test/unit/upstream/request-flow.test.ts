import fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { DiskRequest } from "../../../src/disk.ts";
import { COMMAND, COMMAND_FLAG, NBD_ERROR, TRANSMISSION_FLAG } from "../../../src/protocol/constants.ts";
import type { InFlight } from "../../../src/upstream/in-flight.ts";
import { ALL_FLAGS } from "../support/negotiation.ts";
import { DONE, playFlow, type PlayedSession } from "./played-flow.ts";
import { request } from "./requests.ts";

const { WRITE, FLUSH, TRIM, CACHE, WRITE_ZEROES } = COMMAND;
const F = TRANSMISSION_FLAG;
const write = (offset: number, text = "x") => request({ text, offset });
const read = (offset: number) => request({ offset, length: 1 });
const texts = ({ sent }: PlayedSession): string[] =>
  sent.map(({ command, request: { payload } }) => (command === FLUSH ? "FLUSH" : String(payload[0]?.bytes())));

describe("RequestFlow", () => {
  it("sends requests as they come while there is a connection", () => {
    const { flow, connect, reply } = playFlow();
    const session = connect();
    const asked = [read(1), write(2), request({ command: FLUSH })];
    for (const one of asked) flow.submit(one, undefined);
    expect(session.lines).toEqual(["0/0 at 1+1", "1/0 at 2+1", "3/0 at 0+0"]);
    reply(session, 1);
    reply(session, 0, NBD_ERROR.EIO);
    expect(asked.map(({ answers }) => answers.map(({ error }) => error))).toEqual([[5], [0], []]);
    // The FLUSH that is at the server is the proxy's own; the client's waits for it.
    expect([flow.held, flow.open]).toEqual([2, true]);
    reply(session, 2);
    expect(asked.map(({ answers }) => answers.map(({ error }) => error))).toEqual([[5], [0], [0]]);
    expect(flow.held).toBe(0);
  });

  it("holds them while there is none, and sends them in order when there is", () => {
    const { flow, connect } = playFlow();
    for (const offset of [5, 3, 9]) flow.submit(read(offset), undefined);
    expect([flow.held, flow.open]).toEqual([3, false]);
    expect(connect().offsets).toEqual([5, 3, 9]);
  });

  it("never has two overlapping writes at the server", () => {
    const { flow, connect, reply } = playFlow();
    const session = connect();
    flow.submit(write(0, "aaaa"), undefined);
    flow.submit(write(2, "bbbb"), undefined);
    flow.submit(request({ command: TRIM, offset: 4, length: 4 }), undefined);
    flow.submit(read(2), undefined);
    flow.submit(write(8, "cccc"), undefined);
    expect(session.offsets).toEqual([0, 2, 8]);
    expect(session.sent[1]?.command).toBe(COMMAND.READ);
    reply(session, 0);
    expect(session.offsets.slice(3)).toEqual([2]);
    reply(session, 3);
    expect(session.offsets.slice(4)).toEqual([4]);
  });

  it("resends writes first, waits for all their answers, then sends everything else", () => {
    const { flow, connect, reply } = playFlow();
    const before = connect();
    for (const one of [read(0), write(10), request({ command: FLUSH }), write(20), read(30)])
      flow.submit(one, undefined);
    flow.lost();
    flow.submit(write(40), undefined);
    flow.submit(read(50), undefined);
    const after = connect();
    expect(after.offsets).toEqual([10, 20]);
    expect(flow.open).toBe(false);
    flow.submit(read(60), undefined);
    reply(after, 1);
    expect(after.offsets).toEqual([10, 20]);
    reply(after, 0);
    expect(after.lines.slice(2)).toEqual([
      "0/0 at 0+1",
      "0/0 at 30+1",
      "1/0 at 40+1",
      "0/0 at 50+1",
      "0/0 at 60+1",
      "3/0 at 0+0",
    ]);
    expect(flow.open).toBe(true);
    // The same request, under the same cookie.
    expect(after.sent[0]).toBe(before.sent[1]);
  });

  it("does not resend what was answered and flushed, nor what was answered where nothing is kept", () => {
    for (const unflushed of ["log", "off"] as const) {
      const { flow, connect, reply } = playFlow({ unflushed });
      const before = connect();
      flow.submit(write(1), undefined);
      reply(before, 0);
      if (unflushed === "log") {
        flow.submit(request({ command: FLUSH }), undefined);
        reply(before, 1);
      }
      flow.submit(write(2), undefined);
      flow.lost();
      expect(connect().offsets).toEqual([2]);
    }
  });

  it("sends again what was answered and not flushed, before everything else", () => {
    const { flow, connect, reply } = playFlow();
    const before = connect();
    flow.submit(write(1), undefined);
    flow.submit(write(2), undefined);
    reply(before, 0);
    flow.lost();
    const after = connect();
    expect(after.offsets).toEqual([1]);
    reply(after, 0);
    expect(after.offsets).toEqual([1, 2]);
  });

  it("begins the recovery again when the connection is lost in the middle of it", () => {
    const { flow, connect, reply } = playFlow();
    connect();
    for (const offset of [1, 2, 3]) flow.submit(write(offset), undefined);
    flow.submit(read(4), undefined);
    flow.lost();
    const second = connect();
    reply(second, 1);
    flow.lost();
    const third = connect();
    expect(third.offsets).toEqual([2]);
    reply(third, 0);
    expect(third.offsets).toEqual([2, 1, 3]);
    reply(third, 1);
    reply(third, 2);
    expect(third.lines.slice(3)).toEqual(["0/0 at 4+1", "3/0 at 0+0"]);
  });

  it("keeps a write back that overlaps a resent one until that is answered, and then sends it once", () => {
    const { flow, connect, reply } = playFlow();
    connect();
    flow.submit(write(0, "old "), undefined);
    flow.submit(write(0, "new "), undefined);
    flow.lost();
    const session = connect();
    expect(texts(session)).toEqual(["old "]);
    reply(session, 0);
    expect(texts(session)).toEqual(["old ", "new ", "FLUSH"]);
    reply(session, 2);
    flow.lost();
    // Flushed, but pinned: the old one is written again, in case its first copy is carried out late.
    const next = connect();
    expect(texts(next)).toEqual(["old "]);
    reply(next, 0);
    expect(texts(next)).toEqual(["old ", "new "]);
  });

  it("finds requests by cookie until they are answered", () => {
    const { flow, connect, reply } = playFlow();
    const session = connect();
    flow.submit(read(0), undefined);
    const entry = session.sent[0] as InFlight;
    expect(flow.find(entry.cookieHigh, entry.cookieLow)).toBe(entry);
    reply(session, 0);
    expect(flow.find(entry.cookieHigh, entry.cookieLow)).toBeUndefined();
  });

  it("lets a request be submitted from within a completion", () => {
    const { flow, connect, reply } = playFlow();
    const session = connect();
    const next = read(2);
    flow.submit(
      request({ offset: 1, length: 1 }, () => flow.submit(next, undefined)),
      undefined,
    );
    reply(session, 0);
    expect(session.offsets).toEqual([1, 2]);
  });
});

describe("RequestFlow.fail", () => {
  it("answers everything that is held, in order, and never sends it", () => {
    const { flow, connect } = playFlow();
    connect();
    const order: number[] = [];
    for (const offset of [1, 2, 3]) {
      flow.submit(
        request({ text: "x", offset }, ({ error }) => order.push(offset, error)),
        undefined,
      );
    }
    flow.lost();
    flow.fail(NBD_ERROR.EIO);
    expect(order).toEqual([1, 5, 2, 5, 3, 5]);
    expect(flow.held).toBe(0);
    expect(connect().sent).toEqual([]);
  });

  it("leaves nobody in the way of later writes", () => {
    const { flow, connect } = playFlow();
    connect();
    flow.submit(write(0), undefined);
    flow.submit(write(0), undefined);
    flow.lost();
    flow.fail(NBD_ERROR.EIO);
    flow.submit(write(0), undefined);
    expect(connect().offsets).toEqual([0]);
  });

  it("is not for requests that a server may be answering", () => {
    const { flow, connect } = playFlow();
    connect();
    expect(() => flow.fail(NBD_ERROR.EIO)).toThrow("gave up requests that a server may be answering");
  });
});

describe("RequestFlow.drop", () => {
  it("answers what its owner left behind unsent, and nothing else", () => {
    const { flow, connect } = playFlow();
    const [leaver, stayer] = [{}, {}];
    const [mine, theirs] = [
      [read(1), write(2)],
      [read(3), write(4)],
    ];
    for (const one of mine) flow.submit(one, leaver);
    for (const one of theirs) flow.submit(one, stayer);
    flow.drop(leaver, NBD_ERROR.ESHUTDOWN);
    expect(mine.map(({ answers }) => answers[0]?.error)).toEqual([108, 108]);
    expect(theirs.map(({ answers }) => answers)).toEqual([[], []]);
    expect(connect().offsets).toEqual([3, 4]);
  });

  it("leaves alone what is at the server", () => {
    const { flow, connect, reply } = playFlow();
    const session = connect();
    const owner = {};
    const asked = [read(1), write(2)];
    for (const one of asked) flow.submit(one, owner);
    flow.drop(owner, NBD_ERROR.ESHUTDOWN);
    expect(asked.map(({ answers }) => answers)).toEqual([[], []]);
    reply(session, 0);
    reply(session, 1);
    expect(asked.map(({ answers }) => answers[0]?.error)).toEqual([0, 0]);
  });

  it("resends writes that may have been carried out in part, but not reads", () => {
    const { flow, connect } = playFlow();
    connect();
    const owner = {};
    const asked = [read(1), write(2), request({ command: FLUSH })];
    for (const one of asked) flow.submit(one, owner);
    flow.lost();
    flow.drop(owner, NBD_ERROR.ESHUTDOWN);
    expect(asked.map(({ answers }) => answers[0]?.error)).toEqual([108, undefined, 108]);
    expect(connect().offsets).toEqual([2]);
  });

  it("does not send again what was at the server when its owner left, unless it may have changed the disk", () => {
    const { flow, connect, reply } = playFlow();
    connect();
    const [leaver, stayer] = [{}, {}];
    const status = request({ command: COMMAND.BLOCK_STATUS, offset: 5, length: 1 });
    const mine = [read(1), write(2), status];
    for (const one of mine) flow.submit(one, leaver);
    flow.submit(read(3), stayer);
    flow.drop(leaver, NBD_ERROR.ESHUTDOWN);
    expect(mine.map(({ answers }) => answers)).toEqual([[], [], []]);
    flow.lost();
    expect(mine.map(({ answers }) => answers[0]?.error)).toEqual([108, undefined, 108]);
    const next = connect();
    reply(next, 0);
    expect(next.hear()).toEqual(["write 2 x", "read 3+1", "flush"]);
  });

  it("frees others that waited for what is dropped, and none of the owner's own", () => {
    const { flow, connect } = playFlow();
    const session = connect();
    const [leaver, stayer] = [{}, {}];
    flow.submit(write(0, "aaaa"), stayer);
    flow.submit(write(2, "bbbb"), leaver);
    flow.submit(write(4, "cccc"), leaver);
    flow.submit(write(7, "dddd"), stayer);
    expect(session.offsets).toEqual([0]);
    flow.drop(leaver, NBD_ERROR.ESHUTDOWN);
    expect(session.offsets).toEqual([0, 7]);
  });
});

describe("RequestFlow with a server that offers less than before", () => {
  const FUA = COMMAND_FLAG.FUA;

  it("sends a FLUSH behind a write in place of FUA, and answers when that is done", () => {
    const { flow, connect, reply } = playFlow();
    const session = connect(ALL_FLAGS & ~F.SEND_FUA);
    const asked = request({ text: "abc", offset: 4, flags: FUA });
    flow.submit(asked, undefined);
    expect(session.lines).toEqual(["1/0 at 4+3"]);
    reply(session, 0);
    expect(session.lines).toEqual(["1/0 at 4+3", "3/0 at 0+0"]);
    expect(asked.answers).toEqual([]);
    reply(session, 1);
    expect(asked.answers.map(({ error }) => error)).toEqual([0]);
    expect(flow.held).toBe(0);
  });

  it("answers with the error of the step that failed, and goes no further", () => {
    const { flow, connect, reply } = playFlow();
    const session = connect(ALL_FLAGS & ~F.SEND_FUA);
    const asked = request({ text: "abc", flags: FUA });
    flow.submit(asked, undefined);
    reply(session, 0, NBD_ERROR.ENOSPC);
    expect(asked.answers.map(({ error }) => error)).toEqual([NBD_ERROR.ENOSPC]);
    expect([session.sent.length, flow.held]).toEqual([1, 0]);
  });

  it("gives a READ with FUA its data", () => {
    const { flow, connect } = playFlow();
    const session = connect(ALL_FLAGS & ~F.SEND_FUA);
    const asked = request({ offset: 8, length: 2, flags: FUA });
    flow.submit(asked, undefined);
    expect(session.lines).toEqual(["0/0 at 8+2"]);
    flow.replied(session.sent[0] as InFlight, { ...DONE, pieces: [{ kind: "hole", lengthBytes: 2 }] });
    expect(asked.answers).toEqual([{ error: 0, data: Buffer.alloc(2) }]);
    expect(flow.held).toBe(0);
  });

  it("writes zeros, one step after the other, in the way of overlapping writes all the time", () => {
    const { flow, connect, reply } = playFlow();
    const session = connect(ALL_FLAGS & ~F.SEND_WRITE_ZEROES);
    const MIB = 1024 * 1024;
    const zeroes = request({ command: WRITE_ZEROES, length: MIB + 8 });
    flow.submit(zeroes, undefined);
    flow.submit(write(4), undefined);
    reply(session, 0);
    expect(session.lines).toEqual([`1/0 at 0+${MIB}`, `1/0 at ${MIB}+8`]);
    reply(session, 1);
    expect(zeroes.answers).toHaveLength(1);
    expect(session.lines.at(-1)).toBe("1/0 at 4+1");
  });

  it("answers hints itself, at once", () => {
    const { flow, connect } = playFlow();
    const session = connect(ALL_FLAGS & ~F.SEND_TRIM & ~F.SEND_CACHE);
    const asked = [request({ command: TRIM, length: 8 }), request({ command: CACHE, length: 8 })];
    for (const one of asked) flow.submit(one, undefined);
    expect(asked.map(({ answers }) => answers[0]?.error)).toEqual([0, 0]);
    expect([session.sent, flow.held]).toEqual([[], 0]);
  });

  it("answers hints that are held when the connection comes, and frees what waited for them", () => {
    const { flow, connect } = playFlow();
    connect();
    const trims = [0, 4, 2].map((offset) => request({ command: TRIM, offset, length: 4 }));
    for (const one of trims) flow.submit(one, undefined);
    flow.submit(write(3), undefined);
    flow.submit(read(99), undefined);
    flow.lost();
    const session = connect(ALL_FLAGS & ~F.SEND_TRIM);
    expect(trims.map(({ answers }) => answers.length)).toEqual([1, 1, 1]);
    expect(session.lines).toEqual(["1/0 at 3+1", "0/0 at 99+1", "3/0 at 0+0"]);
  });

  it("begins again from the first step when the connection is lost in between, and as it was where it can", () => {
    const { flow, connect, reply } = playFlow();
    const poor = connect(ALL_FLAGS & ~F.SEND_FUA);
    const asked = request({ text: "abc", flags: FUA });
    flow.submit(asked, undefined);
    reply(poor, 0);
    flow.lost();
    expect(flow.held).toBe(1);
    const again = connect(ALL_FLAGS & ~F.SEND_FUA);
    expect(again.lines).toEqual(["1/0 at 0+3"]);
    flow.lost();
    const rich = connect();
    // It was written once: it only waits for a FLUSH, after which it is answered.
    expect(rich.lines).toEqual(["1/0 at 0+3"]);
    reply(rich, 0);
    expect(rich.lines).toEqual(["1/0 at 0+3", "3/0 at 0+0"]);
    expect(asked.answers).toEqual([]);
    reply(rich, 1);
    expect([asked.answers.length, flow.held]).toEqual([1, 0]);
  });
});

describe("RequestFlow, whatever happens", () => {
  const step = fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({
        kind: fc.constant("submit" as const),
        command: fc.constantFrom(COMMAND.READ, WRITE, WRITE, FLUSH, TRIM),
        offset: fc.nat(12),
        length: fc.integer({ min: 1, max: 5 }),
        fua: fc.boolean(),
        owner: fc.nat(1),
      }),
    },
    { weight: 5, arbitrary: fc.record({ kind: fc.constant("reply" as const), pick: fc.nat() }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("lose" as const) }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant("connect" as const), poor: fc.boolean() }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("drop" as const), owner: fc.nat(1) }) },
  );

  it("answers every request once, keeps overlapping writes apart, and nothing passes a recovery", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const { flow, connect } = playFlow();
        const owners = [{}, {}];
        const asked: ReturnType<typeof request>[] = [];
        let session: PlayedSession | undefined;
        const atServer = (): InFlight[] =>
          session?.sent.filter((entry) => flow.find(entry.cookieHigh, entry.cookieLow) === entry) ?? [];
        const check = (): void => {
          // Replayed, sent again, or a part of one of these.
          if (!flow.open) expect(session?.sent.every(({ writeLike }) => writeLike) ?? true).toBe(true);
          const writes = atServer().filter(({ writeLike }) => writeLike);
          for (const [index, one] of writes.entries()) {
            for (const other of writes.slice(index + 1)) {
              const overlap = one.offset < other.offset + other.length && other.offset < one.offset + one.length;
              expect(overlap, "overlapping writes at the server").toBe(false);
            }
          }
        };
        const lose = (): void => {
          session = undefined;
          flow.lost();
        };
        const connectNow = (poor: boolean): void => {
          if (session !== undefined) return;
          session = connect(poor ? ALL_FLAGS & ~F.SEND_FUA & ~F.SEND_TRIM : ALL_FLAGS);
        };
        const replyTo = (pick: number): void => {
          const open = atServer();
          const entry = open[pick % Math.max(1, open.length)];
          if (entry !== undefined) flow.replied(entry, DONE);
        };
        for (const one of steps) {
          if (one.kind === "submit") {
            const { command, offset, length, fua, owner } = one;
            const fields = { flags: fua ? COMMAND_FLAG.FUA : 0, offset };
            const made: DiskRequest =
              command === WRITE
                ? request({ ...fields, text: "x".repeat(length) })
                : request({ ...fields, command, length: command === FLUSH ? 0 : length });
            asked.push(made as ReturnType<typeof request>);
            flow.submit(made, owners[owner]);
          } else if (one.kind === "reply") replyTo(one.pick);
          else if (one.kind === "lose") lose();
          else if (one.kind === "connect") connectNow(one.poor);
          else flow.drop(owners[one.owner] as object, NBD_ERROR.ESHUTDOWN);
          check();
        }
        lose();
        connectNow(false);
        while (atServer().length > 0) {
          replyTo(0);
          check();
        }
        expect(flow.held).toBe(0);
        expect(asked.map(({ answers }) => answers.length)).toEqual(asked.map(() => 1));
      }),
      { numRuns: 500 },
    );
  });
});
