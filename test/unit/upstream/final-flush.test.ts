import { describe, expect, it } from "vitest";

import { LIMITS } from "../../../src/limits.ts";
import { NBD_ERROR, TRANSMISSION_FLAG } from "../../../src/protocol/constants.ts";
import { FinalFlush } from "../../../src/upstream/final-flush.ts";
import { geometry } from "../support/held-disk.ts";
import { ALL_FLAGS } from "../support/negotiation.ts";
import { settle } from "../support/settle.ts";
import { playFlow } from "./played-flow.ts";
import { request } from "./requests.ts";

const { READ_ONLY, SEND_FLUSH } = TRANSMISSION_FLAG;

/** A flow with a connection, and what its final flush came to. */
function setUp(flags = ALL_FLAGS) {
  const played = playFlow();
  const session = played.connect(flags);
  const finalFlush = new FinalFlush(played.clock);
  const outcomes: boolean[] = [];
  const begin = async (isConnected = true): Promise<void> => {
    const done = finalFlush.of(played.flow, geometry({ flags }), isConnected);
    void done.then((flushed) => outcomes.push(flushed));
    await settle();
  };
  return { ...played, session, finalFlush, outcomes, begin };
}

describe("FinalFlush", () => {
  it("flushes, and says that it did", async () => {
    const { session, reply, outcomes, begin, clock } = setUp();
    await begin();
    expect([session.hear(), outcomes]).toEqual([["flush"], []]);
    reply(session, 0);
    await settle();
    expect([outcomes, clock.pending]).toEqual([[true], 0]);
  });

  it("asks again as long as it has time when that fails", async () => {
    const { session, reply, outcomes, begin, clock } = setUp();
    await begin();
    reply(session, 0, NBD_ERROR.EIO);
    for (let turn = 0; turn < 3; turn += 1) {
      clock.advance(LIMITS.refusedRetryMaxMs);
      await settle();
    }
    expect(session.hear().length).toBeGreaterThan(1);
    expect(outcomes).toEqual([false]);
  });

  it("waits so long, and no longer", async () => {
    const { outcomes, begin, clock } = setUp();
    await begin();
    clock.advance(LIMITS.drainMs - 1);
    await settle();
    expect(outcomes).toEqual([]);
    clock.advance(1);
    await settle();
    expect(outcomes).toEqual([false]);
  });

  it("needs no FLUSH where there is none, or nothing can be written", async () => {
    for (const flags of [ALL_FLAGS & ~SEND_FLUSH, ALL_FLAGS | READ_ONLY]) {
      const { session, outcomes, begin } = setUp(flags);
      await begin();
      expect([session.hear(), outcomes]).toEqual([[], [true]]);
    }
  });

  it("does not wait for a server that is away when there is nothing to save", async () => {
    const { flow, outcomes, begin } = setUp();
    flow.lost();
    await begin(false);
    expect(outcomes).toEqual([false]);
  });

  it("waits for one that is away when there is something to save, until it is given up", async () => {
    const { flow, session, reply, finalFlush, outcomes, begin, clock } = setUp();
    finalFlush.giveUp();
    flow.submit(request({ text: "x" }), undefined);
    reply(session, 0);
    flow.lost();
    const timersBefore = clock.pending;
    await begin(false);
    expect(outcomes).toEqual([]);
    finalFlush.giveUp();
    await settle();
    expect([outcomes, clock.pending]).toEqual([[false], timersBefore]);
  });

  it("ends the pins first", async () => {
    const { flow, connect, serve, outcomes, begin } = setUp();
    flow.submit(request({ text: "old" }), undefined);
    flow.lost();
    const next = connect();
    serve(next);
    await begin();
    expect(serve(next).slice(0, 2)).toEqual(["write 0 old", "flush"]);
    await settle();
    expect([outcomes, flow.unflushed.pins.count]).toEqual([[true], 0]);
  });
});
