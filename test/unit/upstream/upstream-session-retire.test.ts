import { describe, expect, it } from "vitest";

import { LIMITS } from "../../../src/limits.ts";
import { COMMAND, NBD_ERROR } from "../../../src/protocol/constants.ts";
import { diskBytes } from "../support/held-disk.ts";
import { parseRequests, replyBytes, requestBytes } from "../support/naive-codec.ts";
import { settle } from "../support/settle.ts";
import { cookieOf, playSession, SILENCE_MS } from "./played-session.ts";
import { request } from "./requests.ts";

const DISC = requestBytes({ command: COMMAND.DISC });
const WHY = new Error("silent for too long");

/** A session with a READ and a WRITE at the server. */
async function busy() {
  const played = playSession({});
  const asked = { read: request({ length: 200 }), write: request({ text: "x" }) };
  const entries = { read: played.send(asked.read), write: played.send(asked.write) };
  await settle();
  played.stream.listen();
  return { ...played, asked, entries };
}

describe("UpstreamSession that is given up while it may still work", () => {
  it("says DISC, half-closes, and tells its owner at once that it is lost", async () => {
    const { session, stream, losses } = await busy();
    session.retire(WHY);
    expect(losses).toEqual(["Error: silent for too long"]);
    await settle();
    expect([stream.heard, stream.finished, stream.destroyed]).toEqual([DISC, true, false]);
  });

  it("takes late answers, to all that was sent over it and not sent again yet", async () => {
    const { session, stream, asked, entries, losses } = await busy();
    session.retire(WHY);
    await settle();
    stream.say(replyBytes({ cookie: cookieOf(entries.write), error: NBD_ERROR.ENOSPC }));
    stream.say(replyBytes({ cookie: cookieOf(entries.read), data: diskBytes(0, 200) }));
    expect(asked.write.answers.map(({ error }) => error)).toEqual([NBD_ERROR.ENOSPC]);
    expect(asked.read.answers).toEqual([{ error: 0, data: diskBytes(0, 200) }]);
    expect([losses.length, stream.destroyed]).toEqual([1, false]);
  });

  it("takes no answer to a request that was sent again, and no word after that", async () => {
    const { session, stream, asked, entries } = await busy();
    session.retire(WHY);
    await settle();
    const next = playSession({});
    next.session.send(entries.write, undefined);
    stream.say(replyBytes({ cookie: cookieOf(entries.write) }));
    stream.say(replyBytes({ cookie: cookieOf(entries.read), data: diskBytes(0, 200) }));
    await settle();
    expect([asked.write.answers, asked.read.answers, stream.destroyed]).toEqual([[], [], true]);
  });

  it("drops an answer whose request was sent again while the rest of it arrived", async () => {
    const { session, stream, asked, entries, pool } = await busy();
    session.retire(WHY);
    await settle();
    const bytes = replyBytes({ cookie: cookieOf(entries.read), data: diskBytes(0, 200) });
    stream.say(bytes.subarray(0, 100));
    const next = playSession({});
    next.session.send(entries.read, undefined);
    stream.say(bytes.subarray(100));
    expect(asked.read.answers).toEqual([]);
    stream.say(replyBytes({ cookie: cookieOf(entries.write) }));
    expect(asked.write.answers).toHaveLength(1);
    stream.drop();
    await settle();
    expect(pool.heldBytes).toBe(0);
  });

  it("drops an answer whose request was answered over the next connection while the rest of it arrived", async () => {
    const { session, stream, table, asked, entries } = await busy();
    session.retire(WHY);
    await settle();
    const bytes = replyBytes({ cookie: cookieOf(entries.read), data: diskBytes(0, 200) });
    stream.say(bytes.subarray(0, 100));
    table.remove(entries.read);
    const other = request({ length: 1 });
    expect(table.add(other, undefined).cookieLow).toBe(entries.read.cookieLow);
    stream.say(bytes.subarray(100));
    expect([asked.read.answers, other.answers]).toEqual([[], []]);
  });

  it("is gone when the server closes, and leaves no timer behind", async () => {
    const { session, stream, clock, losses, pool } = await busy();
    session.retire(WHY);
    await settle();
    stream.sayEnd();
    await settle();
    expect([stream.closed, stream.wasReset, clock.pending, losses.length, pool.heldBytes]).toEqual([
      true,
      false,
      0,
      1,
      0,
    ]);
  });

  it("is reset when the server has not closed after ten seconds, though it answered meanwhile", async () => {
    const { session, stream, clock, losses, asked, entries } = await busy();
    session.retire(WHY);
    await settle();
    clock.advance(LIMITS.retireMs - 1);
    stream.say(replyBytes({ cookie: cookieOf(entries.write) }));
    expect(asked.write.answers).toHaveLength(1);
    expect([stream.destroyed, stream.wasReset]).toEqual([false, false]);
    clock.advance(1);
    await settle();
    expect([stream.wasReset, stream.closed, clock.pending, losses.length]).toEqual([true, true, 0, 1]);
  });

  it("is cut at once, with a reset, when something that it was to send has not left", async () => {
    const { session, stream, send, clock, losses } = await busy();
    stream.takeOnly(10);
    send(request({ text: "half of this has left", offset: 50 }));
    await settle();
    session.retire(WHY);
    await settle();
    expect([stream.wasReset, stream.closed, losses]).toEqual([true, true, ["Error: silent for too long"]]);
    expect([stream.heard.length, clock.pending]).toEqual([10, 0]);
  });

  it("is cut at once when what it was to send is only being gathered", async () => {
    const { session, stream, send, losses } = await busy();
    send(request({ text: "not even begun", offset: 50 }));
    session.retire(WHY);
    await settle();
    expect([stream.wasReset, stream.heard.length, losses.length]).toEqual([true, 0, 1]);
  });

  it("hears nothing any more once it was cut", async () => {
    const { session, stream, send, asked, entries } = await busy();
    send(request({ text: "gathered", offset: 50 }));
    session.retire(WHY);
    stream.say(replyBytes({ cookie: cookieOf(entries.write) }));
    await settle();
    expect(asked.write.answers).toEqual([]);
  });

  it("is told apart from a lost one: it does not say DISC twice, and no second time that it is lost", async () => {
    const { session, stream, losses, entries } = await busy();
    session.retire(WHY);
    session.retire(WHY);
    await settle();
    stream.say(replyBytes({ cookie: cookieOf(entries.write), error: NBD_ERROR.ESHUTDOWN }));
    stream.say(Buffer.alloc(16, 0x42));
    await settle();
    expect([stream.heard, losses.length, stream.destroyed]).toEqual([DISC, 1, true]);
    session.retire(WHY);
    session.giveUp(WHY);
    expect(losses).toHaveLength(1);
  });

  it("does not take ESHUTDOWN for an answer, not even late", async () => {
    const { session, stream, asked, entries } = await busy();
    session.retire(WHY);
    stream.say(replyBytes({ cookie: cookieOf(entries.write), error: NBD_ERROR.ESHUTDOWN }));
    await settle();
    expect([asked.write.answers, stream.destroyed]).toEqual([[], false]);
  });
});

describe("UpstreamSession and a reply to a request that has not been sent", () => {
  it("takes a reply to a request of the batch that gathers for a violation", async () => {
    const { stream, send, losses } = playSession({});
    const asked = request({ text: "x" });
    const entry = send(asked);
    stream.say(replyBytes({ cookie: cookieOf(entry) }));
    await settle();
    expect(losses).toEqual(["ProtocolViolation: a reply to a request that was not sent yet"]);
    expect([asked.answers, stream.destroyed]).toEqual([[], true]);
  });

  it("takes one to a request that waits behind a write under way for one as well", async () => {
    const { stream, send, losses } = playSession({});
    stream.takeOnly(10);
    const first = send(request({ text: "begun" }));
    await settle();
    const asked = request({ text: "waits", offset: 20 });
    const second = send(asked);
    await settle();
    stream.say(replyBytes({ cookie: cookieOf(second) }));
    expect([losses.length, asked.answers.length]).toEqual([1, 0]);
    expect(first.batch).toBeLessThan(second.batch);
  });

  it("takes one to a request whose batch has begun to leave: more is not known", async () => {
    const { stream, send, losses } = playSession({});
    stream.takeOnly(10);
    const asked = request({ text: "begun" });
    const entry = send(asked);
    await settle();
    stream.say(replyBytes({ cookie: cookieOf(entry), error: NBD_ERROR.EIO }));
    expect([losses, asked.answers.map(({ error }) => error)]).toEqual([[], [NBD_ERROR.EIO]]);
    stream.take();
    await settle();
    expect(parseRequests(stream.heard).requests).toHaveLength(1);
  });

  it("knows a request's batch anew on every connection", async () => {
    const [first, second] = [playSession({}), playSession({})];
    for (let turn = 0; turn < 5; turn += 1) {
      first.send(request({ text: "x", offset: turn }));
      await settle();
    }
    const asked = request({ text: "again", offset: 99 });
    const entry = first.send(asked);
    await settle();
    first.session.giveUp(WHY);
    second.table.add(request(), undefined);
    const again = second.send(asked);
    await settle();
    expect([entry.batch, again.batch]).toEqual([6, 1]);
    second.stream.say(replyBytes({ cookie: cookieOf(again) }));
    expect([second.losses, asked.answers.length]).toEqual([[], 1]);
  });
});

describe("UpstreamSession that watches for silence", () => {
  it("tells its owner once that the server is silent, and that it is heard again, be it half a reply", async () => {
    const { send, stream, clock, signs } = playSession({});
    const entry = send(request({ text: "x" }));
    await settle();
    clock.advance(SILENCE_MS - 1);
    expect(signs).toEqual([]);
    clock.advance(1);
    expect(signs).toEqual(["silent"]);
    clock.advance(SILENCE_MS);
    stream.say(replyBytes({ cookie: cookieOf(entry) }).subarray(0, 1));
    expect(signs).toEqual(["silent", "heard again"]);
    stream.say(replyBytes({ cookie: cookieOf(entry) }).subarray(1));
    clock.advance(10 * SILENCE_MS);
    expect(signs).toEqual(["silent", "heard again"]);
  });

  it("has nothing to say while every request is answered", async () => {
    const { send, stream, clock, signs } = playSession({});
    for (let turn = 0; turn < 5; turn += 1) {
      const entry = send(request({ text: "x" }));
      await settle();
      clock.advance(SILENCE_MS - 1);
      stream.say(replyBytes({ cookie: cookieOf(entry) }));
      clock.advance(10 * SILENCE_MS);
    }
    expect([signs, clock.pending]).toEqual([[], 0]);
  });

  it("tells its owner of idleness, when it was asked to", () => {
    const { clock, signs } = playSession({ idleMs: 7000 });
    clock.advance(14_000);
    expect(signs).toEqual(["idle", "idle"]);
  });

  it.each(["retire", "giveUp"] as const)("watches no more after %s, whatever is heard late", async (end) => {
    const { session, send, stream, clock, signs } = playSession({ idleMs: 7000 });
    const entry = send(request({ text: "x" }));
    await settle();
    clock.advance(SILENCE_MS);
    session[end](WHY);
    stream.say(replyBytes({ cookie: cookieOf(entry) }));
    stream.sayEnd();
    await settle();
    clock.advance(10 * SILENCE_MS);
    expect([signs, clock.pending]).toEqual([["silent"], 0]);
  });

  it("watches no more after it took leave", async () => {
    const { session, send, stream, clock, signs } = playSession({ idleMs: 7000 });
    send(request({ text: "x" }));
    await settle();
    const leaving = session.disconnect();
    clock.advance(LIMITS.farewellMs);
    await leaving;
    clock.advance(10 * SILENCE_MS);
    expect([signs, clock.pending, stream.wasReset]).toEqual([[], 0, true]);
  });
});
