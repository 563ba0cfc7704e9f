import { describe, expect, it } from "vitest";

import { COMMAND, NBD_ERROR, TRANSMISSION_FLAG } from "../../../src/protocol/constants.ts";
import { ALL_FLAGS } from "../support/negotiation.ts";
import { settle } from "../support/settle.ts";
import { request } from "./requests.ts";
import { ResilientWorld } from "./resilient-world.ts";

const F = TRANSMISSION_FLAG;

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
    expect(await closed).toBe(true);
    expect([world.clock.pending, world.pool.heldBytes, world.log.of("warning")]).toEqual([0, 0, []]);
    world.clock.advance(60_000);
    expect(world.network.dials).toHaveLength(1);
  });

  it("says that the FLUSH failed", async () => {
    const { world, server, disk } = await ResilientWorld.open();
    const closed = disk.close();
    await settle();
    await server.answer(0, NBD_ERROR.EIO);
    world.clock.advance(1000);
    expect(await closed).toBe(false);
  });

  it("says so when the connection is lost during the FLUSH, and connects no more", async () => {
    const { world, server, disk } = await ResilientWorld.open();
    const closed = disk.close();
    await settle();
    await server.drop();
    expect(await closed).toBe(false);
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
    expect(await closed).toBe(true);
  });

  it("answers what is held with ESHUTDOWN, and everything after it", async () => {
    const { world, server, handle, disk } = await ResilientWorld.open();
    const held = request({ text: "held" });
    handle.submit(held);
    await server.drop();
    expect(await disk.close()).toBe(false);
    const late = request({ text: "late" });
    handle.submit(late);
    expect([held, late].map(({ answers }) => answers.map(({ error }) => error))).toEqual([[108], [108]]);
    expect(world.clock.pending).toBe(0);
  });

  it("ends an outage that a hold timeout was counting", async () => {
    const { world, server, disk } = await ResilientWorld.open({ holdTimeoutMs: 1000 });
    await server.drop();
    await world.refuse();
    expect(await disk.close()).toBe(false);
    expect(world.clock.pending).toBe(0);
  });

  it("works for a disk that was never opened, and twice", async () => {
    const world = new ResilientWorld();
    expect(await world.disk.close()).toBe(true);
    const opened = await ResilientWorld.open();
    const closed = opened.disk.close();
    await settle();
    await opened.server.answer(0);
    opened.server.stream.drop();
    expect(await closed).toBe(true);
    expect(await opened.disk.close()).toBe(false);
  });
});
