import { describe, expect, it } from "vitest";

import { LIMITS } from "../../../src/limits.ts";
import { COMMAND, NBD_ERROR } from "../../../src/protocol/constants.ts";
import { ProtocolViolation } from "../../../src/protocol/protocol-violation.ts";
import { Slab } from "../../../src/transport/slab.ts";
import { Slice } from "../../../src/transport/slice.ts";
import type { InFlight } from "../../../src/upstream/in-flight.ts";
import { everyCut } from "../support/cuts.ts";
import { diskBytes } from "../support/held-disk.ts";
import { parseRequests, replyBytes, requestBytes } from "../support/naive-codec.ts";
import { settle } from "../support/settle.ts";
import { cookieOf, playSession } from "./played-session.ts";
import { request } from "./requests.ts";

const DISC = requestBytes({ command: COMMAND.DISC });

/** Slabs in which hardly anything fits in one piece. */
const TINY = { slabBytes: 64, roomBytes: 16 };

describe("UpstreamSession", () => {
  it("sends a request as a naive codec would, under its own cookie", async () => {
    const { stream, session, send } = playSession({});
    const entries = [
      send(request({ offset: 2 ** 40, length: 512 })),
      send(request({ text: "payload", offset: 5, flags: 1 })),
      send(request({ command: COMMAND.FLUSH })),
    ];
    await settle();
    expect(stream.heard).toEqual(
      Buffer.concat([
        requestBytes({ command: 0, cookie: cookieOf(entries[0] as InFlight), offset: 2 ** 40, length: 512 }),
        requestBytes({
          command: 1,
          flags: 1,
          cookie: cookieOf(entries[1] as InFlight),
          offset: 5,
          payload: Buffer.from("payload"),
        }),
        requestBytes({ command: 3, cookie: cookieOf(entries[2] as InFlight) }),
      ]),
    );
    expect(entries.every(({ wire }) => wire === session)).toBe(true);
  });

  it("writes headers in place, so that what arrived side by side leaves as one chunk", async () => {
    const { stream, send } = playSession({});
    const slab = new Slab(Buffer.alloc(28 + 28 + 4));
    const write = request({ command: COMMAND.WRITE, length: 4 });
    send(request(), new Slice(slab, 28, 28, 28));
    send({ ...write, payload: [new Slice(slab, 56, 60, 28)] });
    await settle();
    expect(stream.writes).toEqual([[60]]);
    expect(parseRequests(stream.heard).requests.map(({ command }) => command)).toEqual([0, 1]);
  });

  it("finds another place for a header that has too little room", async () => {
    const { stream, send } = playSession({});
    const slab = new Slab(Buffer.from("0123456789abcdef"));
    send(request(), new Slice(slab, 16, 16, 16));
    send({ ...request({ command: COMMAND.WRITE, length: 6 }), payload: [new Slice(slab, 10, 16, 10)] });
    await settle();
    expect(slab.buffer.toString()).toBe("0123456789abcdef");
    expect(parseRequests(stream.heard).requests.map(({ payload }) => String(payload))).toEqual(["", "abcdef"]);
  });

  it("hands whole replies on, in the order in which they come, wherever they are cut", async () => {
    const probe = playSession({});
    const [one, other] = [probe.send(request({ length: 5 })), probe.send(request({ text: "x" }))];
    const bytes = Buffer.concat([
      replyBytes({ cookie: cookieOf(other), error: NBD_ERROR.ENOSPC }),
      replyBytes({ cookie: cookieOf(one), data: Buffer.from("hello") }),
    ]);
    for (const pieces of everyCut(bytes)) {
      const { stream, send, losses } = playSession({});
      const order: string[] = [];
      send(request({ length: 5 }, ({ data }) => order.push(`read ${String(data)}`)));
      send(request({ text: "x" }, ({ error }) => order.push(`write ${error}`)));
      await settle();
      for (const piece of pieces) stream.say(piece);
      expect(order).toEqual(["write 28", "read hello"]);
      expect(losses).toEqual([]);
    }
    await settle();
  });

  it("offers the place of the reply's header as room for another", async () => {
    const { stream, send, shapes } = playSession({});
    const read = send(request({ length: 5 }));
    await settle();
    stream.say(replyBytes({ cookie: cookieOf(read), data: Buffer.from("hello") }));
    expect(shapes).toEqual(["16"]);
    const split = send(request({ length: 5 }));
    await settle();
    const bytes = replyBytes({ cookie: cookieOf(split), data: Buffer.from("hello") });
    stream.say(bytes.subarray(0, 18));
    stream.say(bytes.subarray(18));
    expect(shapes).toEqual(["16", "16"]);
    await settle();
  });

  it("puts together data that spans many slabs, and holds it no longer than the call", async () => {
    const { stream, pool, send, shapes, losses } = playSession(TINY);
    const asked = request({ length: 500 });
    const bytes = replyBytes({ cookie: cookieOf(send(asked)), data: diskBytes(0, 500) });
    await settle();
    for (let at = 0; at < bytes.length; at += 30) stream.say(bytes.subarray(at, at + 30));
    expect(asked.answers).toEqual([{ error: 0, data: diskBytes(0, 500) }]);
    expect(shapes[0]?.split(",").length).toBeGreaterThan(5);
    expect([pool.heldBytes, losses]).toEqual([64, []]);
    await settle();
  });

  it("expects no data with an error, nor with anything but a READ", async () => {
    const { stream, send, losses } = playSession({});
    const [read, write, next] = [request({ length: 9 }), request({ text: "123456789" }), request({ length: 1 })];
    const entries = [read, write, next].map((one) => cookieOf(send(one)));
    await settle();
    stream.say(replyBytes({ cookie: entries[0] as bigint, error: NBD_ERROR.EIO }));
    stream.say(replyBytes({ cookie: entries[1] as bigint }));
    stream.say(replyBytes({ cookie: entries[2] as bigint, data: Buffer.from("z") }));
    expect([read, write, next].map(({ answers }) => answers.length)).toEqual([1, 1, 1]);
    expect(losses).toEqual([]);
  });
});

describe("UpstreamSession with a server that breaks the protocol", () => {
  const lost = ["ProtocolViolation: a reply with a cookie that is not in flight"];

  it("gives up at a cookie that was never sent", () => {
    const { stream, losses } = playSession({});
    stream.say(replyBytes({ cookie: 4711n }));
    expect([losses, stream.destroyed]).toEqual([lost, true]);
  });

  it("gives up at a second reply to the same request", async () => {
    const { stream, send, losses } = playSession({});
    const asked = request({ text: "x" });
    const reply = replyBytes({ cookie: cookieOf(send(asked)) });
    await settle();
    stream.say(Buffer.concat([reply, reply]));
    expect(losses).toEqual(lost);
    expect(asked.answers).toHaveLength(1);
  });

  it("gives up at the cookie of a slot that is in use again", async () => {
    const { stream, send, losses } = playSession({});
    const stale = cookieOf(send(request({ text: "x" })));
    await settle();
    stream.say(replyBytes({ cookie: stale }));
    const asked = request({ text: "y" });
    expect(send(asked).cookieLow).toBe(Number(stale & 0xffff_ffffn));
    await settle();
    stream.say(replyBytes({ cookie: stale }));
    expect([losses, asked.answers]).toEqual([lost, []]);
  });

  it("gives up at a reply to a request that was sent over another connection, or not at all", async () => {
    const [one, other] = [playSession({}), playSession({})];
    const elsewhere = one.send(request());
    await settle();
    const theirs = other.table.add(request(), undefined);
    theirs.session = one.session;
    theirs.wire = one.session;
    other.stream.say(replyBytes({ cookie: cookieOf(elsewhere) }));
    expect(other.losses).toEqual(lost);
    const third = playSession({});
    const held = third.table.add(request(), undefined);
    held.session = third.session;
    third.stream.say(replyBytes({ cookie: cookieOf(held) }));
    expect(third.losses).toEqual(lost);
  });

  it("gives up at a wrong magic, and understands nothing after it", async () => {
    const { stream, send, losses } = playSession({});
    const asked = request({ text: "x" });
    const cookie = cookieOf(send(asked));
    await settle();
    stream.say(Buffer.concat([Buffer.alloc(16, 0x42), replyBytes({ cookie })]));
    expect(losses).toEqual(["ProtocolViolation: wrong reply magic 0x42424242"]);
    expect(asked.answers).toEqual([]);
  });
});

describe("UpstreamSession that loses its connection", () => {
  it.each(["drop", "sayEnd"] as const)("says so once, after %s", async (leave) => {
    const { stream, losses, pool } = playSession({});
    stream[leave]();
    await settle();
    expect(losses).toEqual([
      leave === "drop"
        ? "ConnectionLost: the connection was closed"
        : "ConnectionLost: the server closed the connection",
    ]);
    expect([stream.closed, pool.heldBytes]).toEqual([true, 0]);
  });

  it("says what the system said", async () => {
    const { stream, losses } = playSession({});
    stream.drop(new Error("read ECONNRESET"));
    await settle();
    expect(losses).toEqual(["ConnectionLost: read ECONNRESET"]);
  });

  it("answers nothing when it is lost in the middle of a reply, and gives all memory back", async () => {
    const probe = playSession(TINY);
    const bytes = replyBytes({ cookie: cookieOf(probe.send(request({ length: 200 }))), data: diskBytes(0, 200) });
    for (let cut = 0; cut < bytes.length; cut += 1) {
      const { stream, send, pool, losses } = playSession(TINY);
      const asked = request({ length: 200 });
      send(asked);
      await settle();
      stream.say(bytes.subarray(0, cut));
      expect(losses).toEqual([]);
      stream.drop();
      await settle();
      expect([asked.answers.length, losses.length, pool.heldBytes]).toEqual([0, 1, 0]);
    }
  });

  it("can be given up by its owner, once", async () => {
    const { stream, session, losses } = playSession({});
    session.giveUp(new ProtocolViolation("enough"));
    session.giveUp(new ProtocolViolation("again"));
    await settle();
    expect([losses, stream.closed]).toEqual([["ProtocolViolation: enough"], true]);
  });

  it("lets go of what has not left", async () => {
    const { stream, send, losses } = playSession({});
    stream.takeOnly(10);
    const asked = request({ text: "payload" });
    send(asked);
    await settle();
    const slab = asked.payload[0]?.slab;
    expect(slab?.references).toBeGreaterThan(1);
    stream.drop();
    await settle();
    expect([slab?.references, losses.length]).toEqual([1, 1]);
  });
});

describe("UpstreamSession that takes leave", () => {
  it("says DISC and half-closes, waits for the server, then is gone", async () => {
    const { stream, session, clock, losses } = playSession({});
    let gone = false;
    const leaving = session.disconnect().then(() => (gone = true));
    await settle();
    expect([stream.heard, stream.finished, gone]).toEqual([DISC, true, false]);
    stream.sayEnd();
    await leaving;
    expect([clock.pending, losses]).toEqual([0, []]);
  });

  it("does not wait long", async () => {
    const { stream, session, clock } = playSession({});
    const leaving = session.disconnect();
    clock.advance(LIMITS.farewellMs - 1);
    expect(stream.destroyed).toBe(false);
    clock.advance(1);
    await leaving;
    expect(stream.closed).toBe(true);
  });

  it("hears no reply any more", async () => {
    const { stream, session, send, losses } = playSession({});
    const asked = request({ text: "x" });
    const cookie = cookieOf(send(asked));
    void session.disconnect();
    await settle();
    stream.say(replyBytes({ cookie }));
    stream.say(Buffer.alloc(16));
    await settle();
    expect([asked.answers, losses]).toEqual([[], []]);
  });

  it("is done at once when the connection is gone already", async () => {
    const { stream, session } = playSession({});
    stream.drop();
    await settle();
    await session.disconnect();
    expect(stream.heard).toHaveLength(0);
  });

  it("waits for the end of a connection that it gave up", async () => {
    const { session } = playSession({});
    session.giveUp(new ProtocolViolation("enough"));
    await session.disconnect();
  });

  it("sends DISC behind everything else, also through a server that reads slowly", async () => {
    const { stream, session, send } = playSession({});
    stream.takeOnly(10);
    send(request({ text: "one" }));
    await settle();
    send(request({ text: "two" }));
    void session.disconnect();
    await settle();
    expect(stream.heard).toHaveLength(10);
    stream.take();
    await settle();
    const { requests, rest } = parseRequests(stream.heard);
    expect(requests.map(({ command, payload }) => `${command} ${payload.toString()}`)).toEqual([
      "1 one",
      "1 two",
      "2 ",
    ]);
    expect([rest.length, stream.finished]).toEqual([0, true]);
  });

  it("takes the error ESHUTDOWN for the end of the connection: DISC, no answer, and the owner is told", async () => {
    const { stream, send, losses, clock } = playSession({});
    const [asked, behind] = [request({ text: "x" }), request({ text: "y" })];
    const cookies = [asked, behind].map((one) => cookieOf(send(one)));
    await settle();
    stream.listen();
    stream.say(
      Buffer.concat([
        replyBytes({ cookie: cookies[0] as bigint, error: NBD_ERROR.ESHUTDOWN }),
        replyBytes({ cookie: cookies[1] as bigint }),
      ]),
    );
    await settle();
    expect(losses).toEqual(["ConnectionLost: the server is shutting down"]);
    expect(stream.heard).toEqual(DISC);
    expect(stream.finished).toBe(true);
    expect(asked.answers).toEqual([]);
    clock.advance(LIMITS.farewellMs);
    await settle();
    expect([stream.closed, losses.length]).toEqual([true, 1]);
  });
});
