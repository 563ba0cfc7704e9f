import { describe, expect, it } from "vitest";

import type { Reply } from "../../../src/disk.ts";
import { COMMAND, COMMAND_FLAG, NBD_ERROR, TRANSMISSION_FLAG } from "../../../src/protocol/constants.ts";
import { FLUSH_REQUEST } from "../../../src/upstream/flush-request.ts";
import { InFlightTable } from "../../../src/upstream/in-flight-table.ts";
import type { InFlight } from "../../../src/upstream/in-flight.ts";
import { RequestSender } from "../../../src/upstream/request-sender.ts";
import type { UpstreamSession } from "../../../src/upstream/upstream-session.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { ALL_FLAGS } from "../support/negotiation.ts";
import { DONE, PlayedSession } from "./played-flow.ts";
import { request } from "./requests.ts";

const { FUA } = COMMAND_FLAG;
const { SEND_FUA, SEND_TRIM, SEND_WRITE_ZEROES } = TRANSMISSION_FLAG;
const MIB = 1024 * 1024;

/** A sender over a connection that offers this, with requests as they come. */
function setUp(flags = ALL_FLAGS) {
  const table = new InFlightTable();
  const answered: (readonly [offset: number, error: number])[] = [];
  const sender = new RequestSender(table, new ManualClock(), ({ offset }, { error }) => answered.push([offset, error]));
  const session = new PlayedSession(flags);
  sender.begin(session as unknown as UpstreamSession);
  sender.order.phase = "open";
  const add = (asked: ReturnType<typeof request>): InFlight => table.add(asked, undefined);
  /** Answers what was sent under this number, as a step is answered. */
  const reply = (index: number, fields: Partial<Reply> = {}): void => {
    const step = session.sent[index] as InFlight;
    table.remove(step);
    step.request.complete({ ...DONE, ...fields });
  };
  return { table, answered, sender, session, add, reply };
}

describe("RequestSender", () => {
  it("sends a request itself where the server can do it", () => {
    const { sender, session, add } = setUp();
    const entry = add(request({ text: "abc", flags: FUA }));
    sender.send(entry, undefined, "request");
    expect(session.sent).toEqual([entry]);
    expect(sender.writes.count).toBe(1);
  });

  it("asserts that a request is sent once over a connection that is there", () => {
    const { sender, add } = setUp();
    const entry = add(request({ length: 1 }));
    sender.send(entry, undefined, "request");
    expect(() => sender.send(entry, undefined, "request")).toThrow("sent a request twice, or to nobody");
    sender.end();
    expect(sender.session).toBeUndefined();
    expect(() => sender.send(add(request({ length: 1 })), undefined, "request")).toThrow("or to nobody");
  });

  it("asserts that nothing passes a recovery", () => {
    const { sender, add } = setUp();
    for (const phase of ["replaying", "resending", "quiescing"] as const) {
      sender.order.phase = phase;
      expect(() => sender.send(add(request({ length: 1 })), undefined, "request")).toThrow("invariant I3");
      expect(() => sender.sendOwn(FLUSH_REQUEST, "flush", () => undefined)).toThrow("invariant I3");
    }
  });

  it("asserts that overlapping writes are not at the server together", () => {
    const { sender, add } = setUp();
    const first = add(request({ text: "aaaa", offset: 0 }));
    sender.send(first, undefined, "request");
    sender.send(add(request({ text: "b", offset: 4 })), undefined, "request");
    const third = add(request({ text: "cc", offset: 3 }));
    expect(() => sender.send(third, undefined, "request")).toThrow("invariant I2");
  });

  it("counts a write as under way until all of its stand-in is answered", () => {
    const { answered, sender, session, add, reply } = setUp(ALL_FLAGS & ~SEND_WRITE_ZEROES);
    const entry = add(request({ command: COMMAND.WRITE_ZEROES, offset: 8, length: MIB + 1 }));
    entry.wire = {} as UpstreamSession;
    sender.send(entry, undefined, "request");
    expect([session.lines, entry.wire]).toEqual([[`1/0 at 8+${MIB}`], undefined]);
    reply(0);
    expect([session.lines[1], answered]).toEqual([`1/0 at ${8 + MIB}+1`, []]);
    reply(1);
    expect([answered, session.sent.length]).toEqual([[[8, 0]], 2]);
  });

  it("ends a stand-in at the first error", () => {
    const { answered, sender, session, add, reply } = setUp(ALL_FLAGS & ~SEND_WRITE_ZEROES);
    sender.send(add(request({ command: COMMAND.WRITE_ZEROES, length: 2 * MIB })), undefined, "request");
    reply(0, { error: NBD_ERROR.ENOSPC });
    expect([answered, session.sent.length]).toEqual([[[0, NBD_ERROR.ENOSPC]], 1]);
  });

  it("has what needs no stand-in answered at once", () => {
    const { answered, sender, session, add } = setUp(ALL_FLAGS & ~SEND_TRIM);
    sender.send(add(request({ command: COMMAND.TRIM, offset: 5, length: 4 })), undefined, "request");
    expect([answered, session.sent]).toEqual([[[5, 0]], []]);
  });

  it("sends something else instead, in steps, as far as the server can do that", () => {
    const { answered, sender, session, add, reply } = setUp(ALL_FLAGS & ~SEND_FUA & ~SEND_WRITE_ZEROES);
    const entry = add(request({ command: COMMAND.TRIM, length: 34 }));
    const { payload } = request({ text: "0123456789" });
    entry.instead = () => [
      { command: COMMAND.WRITE, flags: FUA, offset: 0, length: 10, payload, room: undefined },
      { command: COMMAND.WRITE_ZEROES, flags: FUA, offset: 20, length: 4, payload: [], room: undefined },
      { command: COMMAND.TRIM, flags: FUA, offset: 30, length: 4, payload: [], room: undefined },
    ];
    sender.send(entry, undefined, "request");
    for (const index of [0, 1, 2]) reply(index);
    expect(session.lines).toEqual(["1/0 at 0+10", "1/0 at 20+4", "4/0 at 30+4"]);
    expect(answered).toEqual([[0, 0]]);
  });

  it("asserts that this writes nothing else than the request would have", () => {
    const { sender, add } = setUp();
    const entry = add(request({ text: "abc", offset: 10 }));
    for (const offset of [9, 11]) {
      entry.instead = () => [{ ...entry.request, offset, room: undefined }];
      entry.session = undefined;
      sender.writes.clear();
      expect(() => sender.send(entry, undefined, "request")).toThrow("invariant I2");
    }
  });

  it("asks what to send instead with what the server takes at once", () => {
    const { sender, session, add } = setUp();
    const entry = add(request({ text: "abcdef", offset: 3 }));
    const asked: number[] = [];
    entry.instead = ({ maximumPayloadBytes }) => {
      asked.push(maximumPayloadBytes);
      return [];
    };
    sender.send(entry, undefined, "request");
    expect(asked).toEqual([session.geometry.maximumPayloadBytes]);
  });

  it("is answered at once when there is nothing to send instead", () => {
    const { answered, sender, session, add } = setUp();
    const entry = add(request({ text: "x", offset: 3 }));
    entry.instead = () => [];
    sender.send(entry, undefined, "request");
    expect([answered, session.sent]).toEqual([[[3, 0]], []]);
  });

  it("sends requests of the proxy's own, and calls back with the reply", () => {
    const { sender, session, table } = setUp();
    const errors: number[] = [];
    sender.sendOwn(FLUSH_REQUEST, "flush", ({ error }) => errors.push(error));
    const [own] = session.sent;
    expect([own?.kind, own?.command, table.count]).toEqual(["own", COMMAND.FLUSH, 1]);
    own?.request.complete({ ...DONE, error: NBD_ERROR.EIO });
    expect(errors).toEqual([NBD_ERROR.EIO]);
  });

  it("has nothing under way when the connection is gone", () => {
    const { sender, add } = setUp();
    sender.send(add(request({ text: "aaaa" })), undefined, "request");
    sender.end();
    expect([sender.writes.count, sender.order.phase]).toEqual([0, "away"]);
  });

  describe("with a READ that was under way when a connection was lost", () => {
    const OFFERED = ALL_FLAGS | TRANSMISSION_FLAG.SEND_DF;

    function resent(flags: number, asked: Parameters<typeof request>[0] = {}) {
      const world = setUp(flags);
      const entry = world.add(request({ offset: 8, length: 100_000, ...asked }));
      entry.sentBefore = true;
      world.sender.send(entry, undefined, "request");
      return { ...world, entry };
    }

    it("asks for it in one chunk: a server that hangs up in the middle of fragments can then say why", () => {
      const { answered, session, reply } = resent(OFFERED);
      expect(session.lines).toEqual(["0/4 at 8+100000"]);
      reply(0, { error: NBD_ERROR.EIO });
      expect([answered, session.sent.length]).toEqual([[[8, NBD_ERROR.EIO]], 1]);
    });

    it("answers with what is read so", () => {
      const { answered, session, reply } = resent(OFFERED);
      reply(0, { pieces: [{ kind: "hole", lengthBytes: 100_000 }] });
      expect([answered, session.sent.length]).toEqual([[[8, 0]], 1]);
    });

    it("asks as before when that is too long for one chunk", () => {
      const { answered, session, reply } = resent(OFFERED);
      reply(0, { error: NBD_ERROR.EOVERFLOW });
      expect([answered, session.lines]).toEqual([[], ["0/4 at 8+100000", "0/0 at 8+100000"]]);
      reply(1);
      expect(answered).toEqual([[8, 0]]);
    });

    it("passes EOVERFLOW on when that is the answer to both", () => {
      const { answered, reply } = resent(OFFERED);
      for (const index of [0, 1]) reply(index, { error: NBD_ERROR.EOVERFLOW });
      expect(answered).toEqual([[8, NBD_ERROR.EOVERFLOW]]);
    });

    it.each([
      ["the server offers no DF", ALL_FLAGS, {}],
      ["it has DF already", OFFERED, { flags: COMMAND_FLAG.DF }],
      ["it asks for nothing", OFFERED, { length: 0 }],
      ["it is a BLOCK_STATUS", OFFERED, { command: COMMAND.BLOCK_STATUS }],
    ])("sends it itself when %s", (_when, flags, asked) => {
      const { session, entry } = resent(flags, asked);
      expect(session.sent).toEqual([entry]);
    });

    it("passes EOVERFLOW on of what has no other way to be asked", () => {
      const { answered, session, reply } = resent(ALL_FLAGS, { flags: COMMAND_FLAG.DF });
      expect(session.lines).toEqual(["0/0 at 8+100000"]);
      reply(0, { error: NBD_ERROR.EOVERFLOW });
      expect(answered).toEqual([[8, NBD_ERROR.EOVERFLOW]]);
    });
  });
});
