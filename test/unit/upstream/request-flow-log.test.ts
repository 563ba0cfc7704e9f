import { describe, expect, it } from "vitest";

import { COMMAND, COMMAND_FLAG, NBD_ERROR, TRANSMISSION_FLAG } from "../../../src/protocol/constants.ts";
import { ALL_FLAGS } from "../support/negotiation.ts";
import { playFlow } from "./played-flow.ts";
import { request } from "./requests.ts";

// What was acknowledged is kept until it is flushed, and nothing else is.

const { FLUSH, TRIM, WRITE_ZEROES } = COMMAND;
const { FAST_ZERO, FUA, NO_HOLE } = COMMAND_FLAG;
const F = TRANSMISSION_FLAG;
const write = (offset: number, text: string, flags = 0) => request({ text, offset, flags });

/** A flow whose server has answered these requests. */
function acknowledged(
  asked: readonly ReturnType<typeof request>[],
  options: Parameters<typeof playFlow>[0] = {},
  flags?: number,
) {
  const played = playFlow(options);
  const session = played.connect(flags);
  for (const one of asked) {
    played.flow.submit(one, undefined);
    played.serve(session);
  }
  return { ...played, session };
}

describe("RequestFlow that acknowledges a write", () => {
  it("has it in the log before its client hears of it", () => {
    const { flow, connect, serve } = playFlow();
    let seenEntries = 0;
    flow.submit(
      request({ text: "abc" }, () => (seenEntries = flow.unflushed.entries)),
      undefined,
    );
    serve(connect());
    expect(seenEntries).toBe(1);
  });

  it("does not keep what the server refused, and keeps what was there before", () => {
    const { flow, connect, reply, serve } = playFlow();
    const session = connect();
    flow.submit(write(0, "old"), undefined);
    reply(session, 0);
    const refused = write(0, "new");
    flow.submit(refused, undefined);
    reply(session, 1, NBD_ERROR.ENOSPC);
    expect(refused.answers.map(({ error }) => error)).toEqual([NBD_ERROR.ENOSPC]);
    flow.lost();
    expect(serve(connect())).toEqual(["write 0 old", "flush"]);
  });

  it("writes the newest content of every range again, neighbours together", () => {
    const { flow, connect, serve } = acknowledged([
      write(0, "aaaaaaaa"),
      write(2, "bb"),
      request({ command: WRITE_ZEROES, offset: 6, length: 4, flags: NO_HOLE | FAST_ZERO }),
      request({ command: TRIM, offset: 20, length: 4 }),
    ]);
    flow.lost();
    const session = connect();
    expect(session.lines).toEqual(["1/0 at 0+6", `6/${NO_HOLE} at 6+4`, "4/0 at 20+4"]);
    expect(serve(session)).toEqual(["write 0 aabbaa", "zeroes 6+4", "trim 20+4", "flush"]);
  });

  it("keeps nothing of what is on stable storage, and nothing that this covers", () => {
    const { flow, connect, serve } = acknowledged([write(0, "aaaaaa"), write(2, "bb", FUA)]);
    flow.lost();
    expect(serve(connect())).toEqual(["write 0 aa", "write 4 aa", "flush"]);
  });

  it("keeps what was flushed no longer, and gives its memory back", () => {
    const { flow, connect, pool, budget } = acknowledged([
      write(0, "aaa"),
      write(50, "b"),
      request({ command: FLUSH }),
    ]);
    expect([flow.unflushed.entries, pool.heldBytes, budget.keptBytes]).toEqual([0, 0, 0]);
    flow.lost();
    expect(connect().sent).toEqual([]);
  });

  it("holds on to the payload when its client has let go of it", () => {
    const { flow, serve, session } = acknowledged([]);
    const asked = write(0, "abc");
    const slab = asked.payload[0]?.slab;
    flow.submit(asked, undefined);
    serve(session);
    expect(slab?.references).toBe(2);
    flow.submit(request({ command: FLUSH }), undefined);
    serve(session);
    expect(slab?.references).toBe(1);
  });

  it("leaves room for a header alone when it writes again: its client has that memory now", () => {
    const { flow, connect } = acknowledged([write(0, "x".repeat(70_000))]);
    flow.lost();
    const payload = connect().sent[0]?.request.payload ?? [];
    expect(payload.map((slice) => slice.headroomBytes)).toEqual(payload.map(() => 0));
  });
});

describe("RequestFlow where nothing is kept", () => {
  it("sends every write with FUA in the mode fua, and nothing again", () => {
    const asked = [
      write(0, "abc"),
      request({ command: WRITE_ZEROES, offset: 9, length: 1 }),
      request({ command: FLUSH }),
    ];
    const { flow, connect, session } = acknowledged(asked, { unflushed: "fua" });
    expect(session.lines).toEqual(["1/1 at 0+3", "6/1 at 9+1", "3/0 at 0+0"]);
    flow.lost();
    expect(connect().sent).toEqual([]);
  });

  it("shares a FLUSH in its place where the server has no FUA, and keeps the write until then", () => {
    const { flow, connect, reply } = playFlow({ unflushed: "fua" });
    const session = connect(ALL_FLAGS & ~F.SEND_FUA);
    const asked = [write(0, "abc"), write(10, "def"), write(20, "ghi")];
    for (const one of asked) flow.submit(one, undefined);
    expect(session.hear()).toEqual(["write 0 abc", "write 10 def", "write 20 ghi"]);
    reply(session, 0);
    reply(session, 1);
    reply(session, 2);
    expect(session.hear()).toEqual(["flush"]);
    reply(session, 3);
    expect(asked.map(({ answers }) => answers.length)).toEqual([1, 0, 0]);
    flow.lost();
    // They were acknowledged by the server, not to their client: the server may have lost them.
    const next = connect(ALL_FLAGS & ~F.SEND_FUA);
    expect(next.hear()).toEqual(["write 10 def", "write 20 ghi"]);
    reply(next, 0);
    reply(next, 1);
    expect(next.hear()).toEqual(["flush"]);
    reply(next, 2);
    expect([asked.map(({ answers }) => answers.length), flow.unflushed.entries]).toEqual([[1, 1, 1], 0]);
  });

  it("keeps a write that was to be stable until it is, in the mode off as well, with what is newer", () => {
    const { flow, connect, reply, serve } = playFlow({ unflushed: "off" });
    const session = connect(ALL_FLAGS & ~F.SEND_FUA);
    const asked = write(0, "aaaa", FUA);
    flow.submit(asked, undefined);
    reply(session, 0);
    flow.submit(write(2, "bbbb"), undefined);
    flow.submit(write(50, "not kept"), undefined);
    for (const index of [2, 3]) reply(session, index);
    flow.lost();
    expect(asked.answers).toEqual([]);
    expect(serve(connect(ALL_FLAGS & ~F.SEND_FUA))).toEqual(["write 0 aabbbb", "flush"]);
    expect([asked.answers.length, flow.unflushed.entries]).toEqual([1, 0]);
  });

  it("sends nothing again in the mode off", () => {
    const { flow, connect } = acknowledged([write(0, "abc")], { unflushed: "off" });
    flow.lost();
    expect(connect().sent).toEqual([]);
  });
});

describe("RequestFlow over a connection whose server takes little at once", () => {
  const TAKES_BYTES = 4;
  const PIN_MS = 60_000;

  it("writes the log again in parts that it takes, and zeros as well where it can't make them", () => {
    const zeroes = request({ command: WRITE_ZEROES, offset: 20, length: 10 });
    const { flow, connect, serve } = acknowledged([write(0, "abc"), write(3, "d"), write(4, "ef"), zeroes]);
    flow.lost();
    expect(serve(connect(ALL_FLAGS & ~F.SEND_WRITE_ZEROES, TAKES_BYTES)).slice(0, 5)).toEqual([
      "write 0 abcd",
      "write 4 ef",
      "write 20 \0\0\0\0",
      "write 24 \0\0\0\0",
      "write 28 \0\0",
    ]);
  });

  it("writes what was pinned again in such parts", () => {
    const { flow, connect, serve, clock } = playFlow();
    connect();
    for (const one of [write(0, "abc"), write(3, "def")]) flow.submit(one, undefined);
    flow.lost();
    const next = connect(ALL_FLAGS, TAKES_BYTES);
    serve(next);
    clock.advance(PIN_MS + 1);
    expect(serve(next).filter((words) => words.startsWith("write"))).toEqual(["write 0 abc", "write 3 def"]);
  });
});
