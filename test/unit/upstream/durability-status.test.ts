import { describe, expect, it } from "vitest";

import { COMMAND } from "../../../src/protocol/constants.ts";
import { durabilityStatus } from "../../../src/upstream/durability-status.ts";
import { playFlow } from "./played-flow.ts";
import { request } from "./requests.ts";

describe("durabilityStatus", () => {
  it("is at zero where nothing was asked", () => {
    const { flow, counters } = playFlow();
    expect(durabilityStatus(flow, counters, 4711)).toEqual({
      ...counters,
      heldRequests: 0,
      unflushedBytes: 0,
      logEntries: 0,
      logBytes: 0,
      oldestAgeMs: undefined,
      pinnedBytes: 0,
      gateWaits: 0,
      failed: false,
    });
  });

  it("says what is held at the moment, beside what was counted", () => {
    const { flow, connect, reply, clock, counters } = playFlow();
    const session = connect();
    clock.advance(100);
    for (const offset of [0, 10, 20]) flow.submit(request({ text: "abc", offset }), undefined);
    flow.submit(request({ text: "waits", offset: 22 }), undefined);
    reply(session, 0);
    clock.advance(50);
    reply(session, 1);
    flow.lost();
    const status = durabilityStatus(flow, counters, clock.nowMs());
    expect(status).toEqual({
      ...counters,
      pins: 1,
      heldRequests: 2,
      unflushedBytes: 6,
      logEntries: 2,
      logBytes: 2 * (28 + 3),
      oldestAgeMs: 50,
      pinnedBytes: 3,
      gateWaits: 1,
      failed: false,
    });
  });

  it("knows no age where everything is flushed, or nothing is kept", () => {
    for (const unflushed of ["log", "off"] as const) {
      const { flow, connect, serve, counters } = playFlow({ unflushed });
      const session = connect();
      flow.submit(request({ text: "abc" }), undefined);
      serve(session);
      if (unflushed === "log") flow.submit(request({ command: COMMAND.FLUSH }), undefined);
      serve(session);
      expect(durabilityStatus(flow, counters, 4711).oldestAgeMs).toBeUndefined();
    }
  });
});
