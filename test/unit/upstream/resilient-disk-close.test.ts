import { describe, expect, it } from "vitest";

import { LIMITS } from "../../../src/limits.ts";
import { COMMAND, NBD_ERROR, TRANSMISSION_FLAG } from "../../../src/protocol/constants.ts";
import { ALL_FLAGS } from "../support/negotiation.ts";
import { settle } from "../support/settle.ts";
import { request } from "./requests.ts";
import { ResilientWorld } from "./resilient-world.ts";

const F = TRANSMISSION_FLAG;
const SAVED = { flushed: true, discardedBytes: 0 };
const UNSURE = { flushed: false, discardedBytes: 0 };

describe("ResilientDisk.close", () => {
  it("has the server FLUSH, then says DISC, and leaves nothing behind", async () => {
    const { world, server, disk } = await ResilientWorld.open();
    const closed = disk.close();
    await settle();
    expect(server.heard).toEqual(["3@0+0"]);
    await server.answer(0);
    expect(server.heard).toEqual(["3@0+0", "2@0+0"]);
    expect(server.stream.finished).toBe(true);
    server.stream.sayEnd();
    expect(await closed).toEqual(SAVED);
    expect([world.clock.pending, world.pool.heldBytes, world.log.of("warning")]).toEqual([0, 0, []]);
    world.clock.advance(60_000);
    expect(world.network.dials).toHaveLength(1);
  });

  it("says that the FLUSH failed", async () => {
    const { world, server, disk } = await ResilientWorld.open();
    const closed = disk.close();
    await settle();
    await server.answer(0, NBD_ERROR.EIO);
    world.clock.advance(LIMITS.refusedRetryMs);
    await settle();
    expect(server.heard).toEqual(["3@0+0", "3@0+0"]);
    world.clock.advance(LIMITS.drainMs);
    await settle();
    world.clock.advance(LIMITS.farewellMs);
    expect(await closed).toEqual(UNSURE);
    expect(world.clock.pending).toBe(0);
  });

  it("writes again what a FLUSH that failed may have cost, and asks for another one", async () => {
    const { world, server, handle, disk } = await ResilientWorld.open();
    handle.submit(request({ text: "abc" }));
    await settle();
    await server.answer(0);
    const closed = disk.close();
    await settle();
    await server.answer(1, NBD_ERROR.EIO);
    world.clock.advance(LIMITS.refusedRetryMs);
    await settle();
    await server.answer(2);
    await server.answer(3);
    expect(server.heard).toEqual(["1@0+3", "3@0+0", "1@0+3", "3@0+0", "2@0+0"]);
    server.stream.sayEnd();
    expect(await closed).toEqual(SAVED);
    expect([world.clock.pending, world.budget.keptBytes]).toEqual([0, 0]);
  });

  it("says how many acknowledged bytes it had to give up", async () => {
    const { world, server, handle, disk } = await ResilientWorld.open();
    for (const offset of [0, 10]) handle.submit(request({ text: "abc", offset }));
    await settle();
    await server.answer(0);
    await server.drop();
    const closed = disk.close();
    world.clock.advance(LIMITS.drainMs);
    expect(await closed).toEqual({ flushed: false, discardedBytes: 3 });
    expect([disk.status.discardedBytes, world.clock.pending, world.budget.keptBytes]).toEqual([3, 0, 0]);
  });

  it("waits for a server that is away when there is something to save", async () => {
    const { world, server, handle, disk } = await ResilientWorld.open();
    handle.submit(request({ text: "abc" }));
    await settle();
    await server.answer(0);
    await server.drop();
    const closed = disk.close();
    const next = await world.reconnect();
    await next.answer(0);
    await next.answer(1);
    expect(next.heard).toEqual(["1@0+3", "3@0+0", "2@0+0"]);
    next.stream.sayEnd();
    expect(await closed).toEqual(SAVED);
  });

  it("ends the pins before their time: what a lost connection may overwrite is written again, and flushed", async () => {
    const { world, server, handle, disk } = await ResilientWorld.open();
    handle.submit(request({ text: "abc" }));
    await settle();
    await server.drop();
    const next = await world.reconnect();
    await next.answer(0);
    await next.answer(1);
    expect([next.heard, disk.status.unflushedBytes, disk.status.pinnedBytes]).toEqual([["1@0+3", "3@0+0"], 0, 3]);
    const closed = disk.close();
    await settle();
    expect(next.heard.slice(2)).toEqual(["1@0+3"]);
    for (let index = 2; next.requests.at(-1)?.command !== COMMAND.DISC; index += 1) await next.answer(index);
    expect(next.heard[3]).toBe("3@0+0");
    next.stream.sayEnd();
    expect(await closed).toEqual(SAVED);
    expect(world.clock.pending).toBe(0);
  });

  it("says so when the connection is lost during the FLUSH, and connects no more", async () => {
    const { world, server, disk } = await ResilientWorld.open();
    const closed = disk.close();
    await settle();
    await server.drop();
    expect(await closed).toEqual(UNSURE);
    world.clock.advance(60_000);
    expect(world.clock.pending).toBe(0);
    expect(world.network.lastDial.aborted || world.network.dials.length === 1).toBe(true);
  });

  it.each([
    ["a server without FLUSH", ALL_FLAGS & ~F.SEND_FLUSH],
    ["a read-only export", ALL_FLAGS | F.READ_ONLY],
  ])("sends DISC alone to %s", async (_name, flags) => {
    const { world, server, disk } = await ResilientWorld.open({ hello: { flags } });
    const closed = disk.close();
    await settle();
    expect(server.requests.map(({ command }) => command)).toEqual([COMMAND.DISC]);
    world.clock.advance(1000);
    expect(await closed).toEqual(SAVED);
  });

  it("answers what is held with ESHUTDOWN, and everything after it", async () => {
    const { world, server, handle, disk } = await ResilientWorld.open();
    const held = request({ text: "held" });
    handle.submit(held);
    await server.drop();
    expect(await disk.close()).toEqual(UNSURE);
    const late = request({ text: "late" });
    handle.submit(late);
    expect([held, late].map(({ answers }) => answers.map(({ error }) => error))).toEqual([[108], [108]]);
    expect(world.clock.pending).toBe(0);
  });

  it("ends an outage that a hold timeout was counting", async () => {
    const { world, server, disk } = await ResilientWorld.open({ holdTimeoutMs: 1000 });
    await server.drop();
    await world.refuse();
    expect(await disk.close()).toEqual(UNSURE);
    expect(world.clock.pending).toBe(0);
  });

  it("works for a disk that was never opened, and twice", async () => {
    const world = new ResilientWorld();
    expect(await world.disk.close()).toEqual(SAVED);
    const opened = await ResilientWorld.open();
    const closed = opened.disk.close();
    await settle();
    await opened.server.answer(0);
    opened.server.stream.drop();
    expect(await closed).toEqual(SAVED);
    expect(await opened.disk.close()).toEqual(UNSURE);
  });
});
