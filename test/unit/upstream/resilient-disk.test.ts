import { describe, expect, it } from "vitest";

import { COMMAND, COMMAND_FLAG, NBD_ERROR, TRANSMISSION_FLAG } from "../../../src/protocol/constants.ts";
import { diskBytes } from "../support/held-disk.ts";
import { replyBytes } from "../support/naive-codec.ts";
import { ALL_FLAGS } from "../support/negotiation.ts";
import { settle } from "../support/settle.ts";
import { request } from "./requests.ts";
import { ResilientWorld } from "./resilient-world.ts";

const F = TRANSMISSION_FLAG;

describe("ResilientDisk", () => {
  it("has a geometry when it is open, and not before", async () => {
    const world = new ResilientWorld();
    expect(() => world.disk.geometry).toThrow("the disk is not open");
    const { disk } = await ResilientWorld.open({ hello: { sizeBytes: 4711, flags: F.HAS_FLAGS } });
    expect(disk.geometry).toMatchObject({ sizeBytes: 4711, flags: F.HAS_FLAGS });
  });

  it("rejects when its server can't be had at first, after a single attempt", async () => {
    const world = new ResilientWorld();
    const opened = world.disk.open();
    world.network.lastDial.refuse("connect ECONNREFUSED");
    await expect(opened).rejects.toThrow("connect ECONNREFUSED");
    world.clock.advance(60_000);
    expect(world.network.dials).toHaveLength(1);
  });

  it("passes requests to the server and its replies, errors among them, to the user", async () => {
    const { world, server, handle } = await ResilientWorld.open();
    const [read, write] = [request({ offset: 8, length: 4 }), request({ text: "abc", offset: 16 })];
    handle.submit(read);
    handle.submit(write);
    await settle();
    expect(server.heard).toEqual(["0@8+4", "1@16+3"]);
    await server.answer(1, NBD_ERROR.ENOSPC);
    await server.answer(0, 0, diskBytes(8, 4));
    expect(read.answers).toEqual([{ error: 0, data: diskBytes(8, 4) }]);
    expect(write.answers.map(({ error }) => error)).toEqual([NBD_ERROR.ENOSPC]);
    expect([world.network.dials.length, world.resets]).toEqual([1, 0]);
  });

  it("keeps everything unanswered over an outage, and sends it again byte for byte", async () => {
    const { world, server, handle } = await ResilientWorld.open();
    const asked = [request({ text: "first" }), request({ text: "second", offset: 100, flags: 1 })];
    for (const one of asked) handle.submit(one);
    await settle();
    const before = server.bytes;
    await server.drop();
    await world.refuse();
    await world.refuse();
    const next = await world.reconnect();
    expect(next.bytes).toEqual(before);
    expect(asked.map(({ answers }) => answers)).toEqual([[], []]);
    await next.answer(0);
    await next.answer(1);
    expect(asked.map(({ answers }) => answers.length)).toEqual([1, 1]);
  });

  it("resends writes before reads and FLUSH, and lets new requests pass only then", async () => {
    const { world, server, handle } = await ResilientWorld.open();
    handle.submit(request({ length: 4 }));
    handle.submit(request({ command: COMMAND.FLUSH }));
    handle.submit(request({ text: "w1", offset: 10 }));
    await settle();
    await server.drop();
    handle.submit(request({ text: "new", offset: 20 }));
    const next = await world.reconnect();
    handle.submit(request({ offset: 30, length: 1 }));
    await settle();
    expect(next.heard).toEqual(["1@10+2"]);
    await next.answer(0);
    expect(next.heard).toEqual(["1@10+2", "0@0+4", "1@20+3", "0@30+1", "3@0+0"]);
  });

  it("never has overlapping writes at the server together, over outages as well", async () => {
    const { world, server, handle } = await ResilientWorld.open();
    for (const text of ["aaaa", "bbbb", "cccc"]) handle.submit(request({ text }));
    await settle();
    expect(server.requests.map(({ payload }) => String(payload))).toEqual(["aaaa"]);
    await server.drop();
    const next = await world.reconnect();
    expect(next.requests.map(({ payload }) => String(payload))).toEqual(["aaaa"]);
    await next.answer(0);
    await next.drop();
    const last = await world.reconnectAfterWait();
    // First what was answered and not flushed, then what was under way, then what waited for it.
    expect(last.requests.map(({ payload }) => String(payload))).toEqual(["aaaa"]);
    await last.answer(0);
    expect(last.requests.map(({ payload }) => String(payload))).toEqual(["aaaa", "bbbb"]);
    await last.answer(1);
    expect(last.requests.map(({ payload }) => String(payload)).slice(2)).toEqual(["cccc", ""]);
    expect(last.heard.at(-1)).toBe("3@0+0");
  });

  it("does not answer a read with what came before the connection was lost in the middle of it", async () => {
    const { world, server, handle } = await ResilientWorld.open();
    const read = request({ length: 100 });
    handle.submit(read);
    await settle();
    const cookie = server.requests[0]?.cookie ?? 0n;
    server.stream.say(replyBytes({ cookie, data: Buffer.alloc(100, 0xee) }).subarray(0, 80));
    await server.drop();
    const next = await world.reconnect();
    await next.answer(0, 0, diskBytes(0, 100));
    expect(read.answers).toEqual([{ error: 0, data: diskBytes(0, 100) }]);
  });

  it("hears nothing of a connection that was given up", async () => {
    const { world, server, handle } = await ResilientWorld.open();
    const asked = request({ text: "x" });
    handle.submit(asked);
    await settle();
    const cookie = server.requests[0]?.cookie ?? 0n;
    server.stream.say(replyBytes({ cookie: 4711n }));
    await settle();
    expect(server.stream.destroyed).toBe(true);
    server.stream.say(replyBytes({ cookie }));
    expect(asked.answers).toEqual([]);
    const next = await world.reconnect();
    await next.answer(0);
    expect(asked.answers).toHaveLength(1);
  });

  it("takes ESHUTDOWN for an outage: the user never sees it", async () => {
    const { world, server, handle } = await ResilientWorld.open();
    const asked = request({ text: "x" });
    handle.submit(asked);
    await settle();
    await server.answer(0, NBD_ERROR.ESHUTDOWN);
    expect(server.requests.at(-1)?.command).toBe(COMMAND.DISC);
    const next = await world.reconnect();
    await next.answer(0);
    expect(asked.answers.map(({ error }) => error)).toEqual([0]);
  });

  it("sends nothing to a stranger", async () => {
    const { world, server, handle } = await ResilientWorld.open();
    const asked = request({ text: "x" });
    handle.submit(asked);
    await server.drop();
    const stranger = await world.reconnect({ sizeBytes: 512 });
    expect([stranger.heard, stranger.stream.destroyed]).toEqual([[], true]);
    world.clock.advance(100);
    const right = await world.reconnect();
    await right.answer(0);
    expect(asked.answers).toHaveLength(1);
  });

  it("tells its users that the server was connected to anew", async () => {
    const { world, server, handle, disk } = await ResilientWorld.open();
    let other = 0;
    const otherHandle = disk.attach({ onReset: () => (other += 1) });
    await server.drop();
    expect([world.resets, other]).toEqual([0, 0]);
    const next = await world.reconnect();
    expect([world.resets, other]).toEqual([1, 1]);
    otherHandle.close();
    await next.drop();
    await world.reconnectAfterWait();
    expect([world.resets, other]).toEqual([2, 1]);
    handle.close();
  });

  it("drops what a user leaves behind unsent, keeps the writes that may have been carried out", async () => {
    const { world, server, handle, disk } = await ResilientWorld.open();
    const other = disk.attach({ onReset: () => undefined });
    const sent = [request({ text: "w" }), request({ offset: 9, length: 1 })];
    for (const one of sent) handle.submit(one);
    await settle();
    await server.drop();
    const unsent = request({ text: "unsent", offset: 50 });
    handle.submit(unsent);
    const theirs = request({ text: "theirs", offset: 70 });
    other.submit(theirs);
    handle.close();
    expect([sent[0], sent[1], unsent, theirs].map((one) => one?.answers[0]?.error)).toEqual([
      undefined,
      108,
      108,
      undefined,
    ]);
    const next = await world.reconnect();
    expect(next.heard).toEqual(["1@0+1"]);
    await next.answer(0);
    expect(next.heard).toEqual(["1@0+1", "1@70+6", "3@0+0"]);
    expect(sent[0]?.answers[0]?.error).toBe(0);
  });

  it("stands in for what a restarted server does not offer any more", async () => {
    const { world, server, handle } = await ResilientWorld.open();
    await server.drop();
    const poor = F.HAS_FLAGS | F.SEND_FLUSH;
    const asked = [
      request({ text: "fua", flags: COMMAND_FLAG.FUA }),
      request({ command: COMMAND.WRITE_ZEROES, offset: 100, length: 8, flags: COMMAND_FLAG.FAST_ZERO }),
      request({ command: COMMAND.TRIM, offset: 200, length: 8 }),
      request({ command: COMMAND.CACHE, offset: 300, length: 8 }),
    ];
    for (const one of asked) handle.submit(one);
    const next = await world.reconnect({ flags: poor });
    // The TRIM is answered and flushed like any other; the write that came with FUA waits for the FLUSH after it.
    expect(next.heard).toEqual(["1@0+3", "1@100+8", "3@0+0"]);
    expect(next.requests.map(({ flags }) => flags)).toEqual([0, 0, 0]);
    await next.answer(0);
    await next.answer(1);
    await next.answer(2);
    expect(asked.map(({ answers }) => answers.length)).toEqual([0, 1, 1, 1]);
    expect(next.heard.slice(3)).toEqual(["3@0+0"]);
    await next.answer(3);
    expect(asked.map(({ answers }) => answers.map(({ error }) => error))).toEqual([[0], [0], [0], [0]]);
    expect(world.disk.geometry.flags).toBe(ALL_FLAGS);
  });

  it("says in the log how many requests it sends again, and nothing for each", async () => {
    const { world, server, handle } = await ResilientWorld.open();
    for (let offset = 0; offset < 50; offset += 1) handle.submit(request({ offset, length: 1 }));
    await server.drop();
    await world.reconnect();
    expect(world.log.lines).toEqual([
      "warning: server store:10809: connection lost: connection reset",
      "debug: server store:10809: attempt 1",
      "info: server store:10809: reached after 0.0 s, attempt 1",
      "info: sending 50 held requests",
      "warning: server store:10809: connected again after 0.0 s, attempt 1: " +
        "50 requests sent again, 0 bytes replayed, 0 bytes pinned",
    ]);
  });
});
