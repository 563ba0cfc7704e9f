import { describe, expect, it } from "vitest";

import { LIMITS } from "../../../src/limits.ts";
import { COMMAND, COMMAND_FLAG, NBD_ERROR } from "../../../src/protocol/constants.ts";
import { playFlow } from "./played-flow.ts";
import { request } from "./requests.ts";

// A request of a lost connection may still be carried out, over something newer. For a minute that is neither seen nor
// does it stay.

const { FLUSH, TRIM, WRITE_ZEROES } = COMMAND;
const { FUA } = COMMAND_FLAG;
const PIN_MS = 60_000;
const write = (offset: number, text: string, flags = 0) => request({ text, offset, flags });
const shown = (asked: ReturnType<typeof request>): string => String(asked.answers[0]?.data);

/** A flow over its second connection: `old` was under way over the first one at 10, and was sent again. */
function pinned(options: Parameters<typeof playFlow>[0] = {}) {
  const played = playFlow(options);
  const { flow, connect, serve, show } = played;
  connect();
  flow.submit(write(10, "old"), undefined);
  flow.lost();
  const session = connect();
  serve(session);
  /** What a client reads while the server has this there. */
  const readOver = (offset: number, there: string): string => {
    const asked = request({ offset, length: there.length });
    flow.submit(asked, undefined);
    show(session, session.sent.length - 1, there);
    session.hear();
    return shown(asked);
  };
  return { ...played, session, readOver };
}

describe("RequestFlow with a pin", () => {
  it("shows the newest acknowledged content of what was under way, whatever the server has", () => {
    const { flow, session, serve, readOver, counters } = pinned();
    expect(readOver(8, "..???..")).toBe("..old..");
    flow.submit(write(11, "NEW"), undefined);
    serve(session);
    // Only what was under way is pinned.
    expect([readOver(8, "..???..."), counters.pins]).toEqual(["..oNE...", 1]);
  });

  it("keeps it when it is flushed", () => {
    const { flow, session, serve, readOver } = pinned();
    flow.submit(request({ command: FLUSH }), undefined);
    serve(session);
    expect([readOver(10, "???"), flow.unflushed.unstableBytes, flow.unflushed.entries]).toEqual(["old", 0, 1]);
  });

  it("keeps it when it was written with FUA, or zeroed", () => {
    const { flow, session, serve, readOver } = pinned();
    flow.submit(write(10, "N", FUA), undefined);
    flow.submit(request({ command: WRITE_ZEROES, offset: 12, length: 1, flags: FUA }), undefined);
    serve(session);
    expect(readOver(10, "???")).toBe("Nl\0");
  });

  it("has nothing to show where a TRIM was: that leaves nothing defined", () => {
    const { flow, session, serve, readOver } = pinned();
    flow.submit(request({ command: TRIM, offset: 11, length: 1 }), undefined);
    serve(session);
    expect(readOver(10, "???")).toBe("o?d");
  });

  it("works in every mode", () => {
    for (const unflushed of ["fua", "off"] as const) {
      const { flow, session, serve, readOver, clock } = pinned({ unflushed });
      flow.submit(write(10, "new"), undefined);
      serve(session);
      expect(readOver(10, "???")).toBe("new");
      clock.advance(PIN_MS + 1);
      expect(session.hear()).toEqual([unflushed === "fua" ? "write 10 new!" : "write 10 new"]);
      serve(session);
      expect([readOver(10, "???"), flow.unflushed.entries]).toEqual(["???", 0]);
    }
  });

  it("writes it again over the next connection, though it was flushed", () => {
    const { flow, session, serve, connect } = pinned();
    flow.submit(request({ command: FLUSH }), undefined);
    serve(session);
    flow.lost();
    expect(serve(connect())).toEqual(["write 10 old"]);
  });

  it("does not pin where it was told not to", () => {
    const { flow, readOver, clock, counters } = pinned({ pinMs: 0 });
    expect([readOver(10, "???"), counters.pins, flow.unflushed.pins.count]).toEqual(["???", 0, 0]);
    clock.advance(3_600_000);
    expect(clock.pending).toBe(0);
  });

  it("pins what is written again when the connection is lost in the middle of that", () => {
    const { flow, connect, serve, clock } = playFlow();
    const first = connect();
    flow.submit(write(10, "log"), undefined);
    serve(first);
    flow.lost();
    expect(flow.unflushed.pins.count).toBe(0);
    connect();
    clock.advance(1000);
    flow.lost();
    expect(flow.unflushed.pins.ended(Infinity)).toEqual([{ start: 10, end: 13, untilMs: 1000 + PIN_MS }]);
  });

  it("lasts for a minute after the last loss at which something there was under way", () => {
    const { flow, connect, serve, session, clock } = pinned();
    clock.advance(40_000);
    flow.submit(write(9, "newer"), undefined);
    flow.lost();
    const next = connect();
    serve(next);
    clock.advance(20_001);
    expect(next.hear()).toEqual([]);
    clock.advance(40_000);
    expect(next.hear()).toEqual(["write 9 newer"]);
    expect(session.sent.length).toBeGreaterThan(0);
  });
});

describe("RequestFlow whose pin ends", () => {
  it("writes the content again, then shows what the server has, and flushes", () => {
    const { flow, session, reply, serve, readOver, clock, log } = pinned();
    clock.advance(PIN_MS);
    serve(session);
    expect(session.hear()).toEqual([]);
    clock.advance(1);
    expect(session.hear()).toEqual(["write 10 old"]);
    expect(readOver(10, "???")).toBe("old");
    reply(session, session.sent.length - 2);
    expect(log.of("info")).toEqual(["pin ended: 3 bytes can't be overwritten by a lost connection any more"]);
    expect(session.hear()).toEqual(["flush"]);
    serve(session);
    expect([readOver(10, "???"), flow.unflushed.entries, flow.held, clock.pending]).toEqual(["???", 0, 0, 0]);
  });

  it("goes behind the overlapping writes that came before it, and before those that come after it", () => {
    const { flow, session, reply, clock } = pinned();
    clock.advance(PIN_MS - 1);
    flow.submit(write(8, "before"), undefined);
    session.hear();
    const under = session.sent.length - 1;
    clock.advance(2);
    flow.submit(write(12, "after"), undefined);
    flow.submit(write(50, "apart"), undefined);
    expect(session.hear()).toEqual(["write 50 apart"]);
    reply(session, under);
    // The newest content of what was pinned, and nothing beside it.
    expect(session.hear()).toEqual(["write 10 for"]);
    reply(session, under + 2);
    expect(session.hear()).toEqual(["write 12 after", "flush"]);
  });

  it("waits for the reads that were under way, which may have seen what was there before", () => {
    const { flow, session, reply, show, clock } = pinned();
    clock.advance(PIN_MS + 1);
    const under = session.sent.length - 1;
    const early = request({ offset: 10, length: 3 });
    flow.submit(early, undefined);
    reply(session, under);
    expect(flow.unflushed.pins.count).toBe(1);
    const late = request({ offset: 10, length: 3 });
    flow.submit(late, undefined);
    show(session, under + 1, "???");
    expect([shown(early), flow.unflushed.pins.count]).toEqual(["old", 0]);
    show(session, under + 2, "old");
    expect(shown(late)).toBe("old");
  });

  it("stays when the server refuses that, and tries again", () => {
    const { flow, session, reply, readOver, clock } = pinned();
    clock.advance(PIN_MS + 1);
    reply(session, session.sent.length - 1, NBD_ERROR.EIO);
    expect(readOver(10, "???")).toBe("old");
    clock.advance(LIMITS.refusedRetryMaxMs + 1);
    expect(session.hear()).toEqual(["write 10 old"]);
    reply(session, session.sent.length - 1);
    expect(flow.unflushed.pins.count).toBe(0);
  });

  it("stays when the connection is lost in the middle of it", () => {
    const { flow, connect, session, serve, clock } = pinned();
    clock.advance(PIN_MS + 1);
    expect(session.hear()).toEqual(["write 10 old"]);
    flow.lost();
    const next = connect();
    expect(serve(next)).toContain("write 10 old");
    expect(flow.unflushed.pins.ended(Infinity)).toEqual([{ start: 10, end: 13, untilMs: PIN_MS + 1 + PIN_MS }]);
  });

  it("waits for the next connection when there is none", () => {
    const { flow, connect, reply, clock } = pinned();
    flow.lost();
    clock.advance(10 * PIN_MS);
    const next = connect();
    clock.advance(PIN_MS);
    expect(next.hear()).toEqual(["write 10 old"]);
    reply(next, 0);
    clock.advance(1);
    expect([next.hear(), flow.unflushed.pins.count]).toEqual([["write 10 old"], 1]);
    reply(next, 1);
    expect([next.hear(), flow.unflushed.pins.count]).toEqual([["flush"], 0]);
  });

  it("is not waited for when the flow is closed", () => {
    const { flow, clock } = pinned();
    expect(clock.pending).toBeGreaterThan(0);
    flow.close();
    expect(clock.pending).toBe(0);
  });
});
