import { describe, expect, it } from "vitest";

import { COMMAND, COMMAND_FLAG, NBD_ERROR, TRANSMISSION_FLAG } from "../../../src/protocol/constants.ts";
import { ALL_FLAGS } from "../support/negotiation.ts";
import { playFlow } from "./played-flow.ts";
import { request } from "./requests.ts";

// Others write to the export as well: nothing is written twice, or it might be written over what is theirs.

const { EIO } = NBD_ERROR;
const write = (offset: number, text: string, flags = 0) => request({ text, offset, flags });
const flush = () => request({ command: COMMAND.FLUSH });
const errors = (asked: readonly ReturnType<typeof request>[]): number[][] =>
  asked.map(({ answers }) => answers.map(({ error }) => error));

function shared() {
  return playFlow({ shared: true, unflushed: "off", pinMs: 0 });
}

describe("RequestFlow of a shared export", () => {
  it("answers the writes under way with EIO when the connection is lost, and sends everything else", () => {
    const { flow, connect, serve } = shared();
    connect();
    const asked = [write(0, "sent"), request({ command: COMMAND.TRIM, offset: 9, length: 1 }), request({ length: 1 })];
    const waiting = write(2, "was not sent");
    for (const one of [...asked, waiting]) flow.submit(one, undefined);
    flow.lost();
    expect(errors([...asked, waiting])).toEqual([[EIO], [EIO], [], []]);
    expect(serve(connect())).toEqual(["read 0+1", "write 2 was not sent"]);
    expect(errors([...asked, waiting])).toEqual([[EIO], [EIO], [0], [0]]);
  });

  it("keeps nothing that was acknowledged, and tells who flushes next that it may be lost, once", () => {
    const { flow, connect, reply, serve, counters } = shared();
    const session = connect();
    flow.submit(write(0, "acknowledged"), undefined);
    reply(session, 0);
    flow.lost();
    const next = connect();
    expect([next.sent, flow.unflushed.entries]).toEqual([[], 0]);
    const asked = [flush(), flush()];
    for (const one of asked) flow.submit(one, undefined);
    serve(next);
    expect([errors(asked), counters.latchedErrors]).toEqual([[[EIO], [0]], 1]);
  });

  it("tells those who wait for a FLUSH", () => {
    const { flow, connect, reply } = shared();
    const session = connect();
    const asked = flush();
    flow.submit(write(0, "acknowledged"), undefined);
    reply(session, 0);
    flow.submit(asked, undefined);
    flow.lost();
    expect(errors([asked])).toEqual([[EIO]]);
  });

  it("tells nobody when everything was flushed, or nothing was written", () => {
    const { flow, connect, serve } = shared();
    const session = connect();
    flow.submit(write(0, "acknowledged"), undefined);
    serve(session);
    flow.submit(flush(), undefined);
    serve(session);
    flow.submit(write(10, "stable", COMMAND_FLAG.FUA), undefined);
    serve(session);
    const asked = [flush(), flush()];
    flow.submit(asked[0] as ReturnType<typeof flush>, undefined);
    flow.lost();
    flow.submit(asked[1] as ReturnType<typeof flush>, undefined);
    const next = connect();
    serve(next);
    expect(errors(asked)).toEqual([[0], [0]]);
  });

  it("does not write again what was to be stable either: its client is told", () => {
    const { flow, connect, reply, serve } = shared();
    const session = connect(ALL_FLAGS & ~TRANSMISSION_FLAG.SEND_FUA);
    const asked = write(0, "durable", COMMAND_FLAG.FUA);
    flow.submit(asked, undefined);
    reply(session, 0);
    expect(session.hear()).toEqual(["write 0 durable", "flush"]);
    flow.lost();
    expect([errors([asked]), serve(connect())]).toEqual([[[EIO]], []]);
  });
});
