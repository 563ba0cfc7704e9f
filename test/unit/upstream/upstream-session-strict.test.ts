import { describe, expect, it } from "vitest";

import { LIMITS } from "../../../src/limits.ts";
import { COMMAND, NBD_ERROR } from "../../../src/protocol/constants.ts";
import { replyBytes, requestBytes } from "../support/naive-codec.ts";
import { settle } from "../support/settle.ts";
import { cookieOf, playSession } from "./played-session.ts";
import { request } from "./requests.ts";

// With a strict fence a connection is never cut: only its end by the server tells that nothing is carried out any more.

const DISC = requestBytes({ command: COMMAND.DISC });
const WHY = new Error("silent for too long");

/** A session with a READ and a WRITE at the server. */
async function busy(strict = true) {
  const played = playSession({ strict });
  const entries = { read: played.send(request({ length: 200 })), write: played.send(request({ text: "x" })) };
  await settle();
  played.stream.listen();
  return { ...played, entries };
}

describe("UpstreamSession that is over", () => {
  it.each([true, false])("tells whether the server ended it, strict %s", async (strict) => {
    const [half, reset, broken, cut] = await Promise.all([1, 2, 3, 4].map(() => busy(strict)));
    half?.stream.sayEnd();
    reset?.stream.drop(Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET" }));
    broken?.stream.drop(Object.assign(new Error("read ETIMEDOUT"), { code: "ETIMEDOUT" }));
    cut?.stream.drop();
    await settle();
    for (const one of [half, reset, broken, cut]) expect(one?.losses).toHaveLength(1);
    expect([half, reset, broken, cut].map((one) => one?.ends)).toEqual([[true], [true], [false], [false]]);
  });

  it("tells it once, after it was lost for another reason", async () => {
    const { session, stream, ends, losses } = await busy();
    session.retire(WHY);
    await settle();
    stream.sayEnd();
    await settle();
    expect([losses.length, ends, stream.closed]).toEqual([1, [true], true]);
  });

  it("was not ended by the server when it was cut", async () => {
    const { session, stream, ends } = await busy(false);
    session.giveUp(WHY);
    await settle();
    expect([stream.destroyed, ends]).toEqual([true, [false]]);
  });
});

describe("UpstreamSession with a strict fence", () => {
  it("says DISC and waits for the server, however long that takes, when it is given up", async () => {
    for (const way of ["retire", "giveUp"] as const) {
      const { session, stream, clock, ends, losses } = await busy();
      session[way](WHY);
      await settle();
      expect([stream.heard, stream.finished, losses.length]).toEqual([DISC, true, 1]);
      clock.advance(24 * 3_600_000);
      await settle();
      expect([stream.destroyed, ends, clock.pending]).toEqual([false, [], 0]);
      stream.sayEnd();
      await settle();
      expect(ends).toEqual([true]);
    }
  });

  it("has what is queued sent first: cutting it would not stop what has left", async () => {
    const { session, stream, send, losses } = playSession({ strict: true });
    stream.takeOnly(10);
    send(request({ text: "stuck halfway" }));
    await settle();
    session.retire(WHY);
    await settle();
    expect([stream.wasReset, stream.finished, losses.length]).toEqual([false, false, 1]);
    stream.take();
    await settle();
    expect([stream.heard.subarray(-28), stream.finished]).toEqual([DISC, true]);
  });

  it("takes late answers, and hears no more after one that it can't place, but is not cut", async () => {
    const { session, stream, entries, ends, losses } = await busy();
    session.retire(WHY);
    await settle();
    stream.say(replyBytes({ cookie: cookieOf(entries.write) }));
    expect(entries.write.request).toMatchObject({ answers: [{ error: 0 }] });
    stream.say(replyBytes({ cookie: 4711n }));
    stream.say(replyBytes({ cookie: cookieOf(entries.read), data: Buffer.alloc(200) }));
    await settle();
    expect(entries.read.request).toMatchObject({ answers: [] });
    expect([stream.destroyed, ends, losses.length]).toEqual([false, [], 1]);
    stream.sayEnd();
    await settle();
    expect(ends).toEqual([true]);
  });

  it("is not cut for nonsense either: the server may still do what it was told", async () => {
    const { stream, ends, losses } = await busy();
    stream.say(Buffer.alloc(100, 0x42));
    stream.say(Buffer.alloc(100, 0x42));
    await settle();
    expect([losses.length, stream.finished, stream.destroyed, ends]).toEqual([1, true, false, []]);
  });

  it("is not cut for what came right behind ESHUTDOWN: the owner knows nothing of it any more", async () => {
    const { stream, table, entries, ends, losses } = await busy();
    table.remove(entries.read);
    const refusals = [entries.write, entries.read].map((one) =>
      replyBytes({ cookie: cookieOf(one), error: NBD_ERROR.ESHUTDOWN }),
    );
    stream.say(Buffer.concat(refusals));
    await settle();
    expect([losses.length, stream.heard, stream.finished, stream.destroyed]).toEqual([1, DISC, true, false]);
    stream.sayEnd();
    await settle();
    expect([ends, losses.length]).toEqual([[true], 1]);
  });

  it("is cut a second after the good-bye when the proxy stops, whatever it waited for", async () => {
    for (const before of ["nothing", "retire", "giveUp"] as const) {
      const { session, stream, clock } = await busy();
      if (before !== "nothing") session[before](WHY);
      const gone = session.disconnect();
      await settle();
      clock.advance(LIMITS.farewellMs);
      await gone;
      expect([stream.wasReset, stream.closed, clock.pending]).toEqual([true, true, 0]);
    }
  });
});
