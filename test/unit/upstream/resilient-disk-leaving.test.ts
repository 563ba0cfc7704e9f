import { describe, expect, it } from "vitest";

import { COMMAND, NBD_ERROR } from "../../../src/protocol/constants.ts";
import { settle } from "../support/settle.ts";
import { request } from "./requests.ts";
import { ResilientWorld } from "./resilient-world.ts";

// Clients that leave: what they were told stays true.

const LINGER_MS = 60_000;
const USER = { onReset: (): void => undefined };

/** A disk with an acknowledged, unflushed write at 0 and one under way at 10. */
async function written(options: Parameters<typeof ResilientWorld.open>[0] = {}) {
  const opened = await ResilientWorld.open(options);
  const underWay = request({ text: "under way", offset: 10 });
  opened.handle.submit(request({ text: "abc" }));
  opened.handle.submit(underWay);
  await settle();
  await opened.server.answer(0);
  return { ...opened, underWay };
}

describe("ResilientDisk whose last user leaves", () => {
  it("has the server FLUSH", async () => {
    const { world, server, handle, disk } = await written();
    const other = disk.attach(USER);
    handle.close();
    await settle();
    expect(server.heard).toHaveLength(2);
    other.close();
    await settle();
    expect(server.heard.slice(2)).toEqual(["3@0+0"]);
    await server.answer(2);
    expect([disk.status.unflushedBytes, world.budget.keptBytes]).toEqual([0, 0]);
  });

  it("sends nothing when nothing was written", async () => {
    const { server, handle } = await ResilientWorld.open();
    handle.close();
    handle.close();
    await settle();
    expect(server.heard).toEqual([]);
  });

  it("keeps everything for a server that is away, and writes it when that is back", async () => {
    const { world, server, handle, disk, underWay } = await written();
    await server.drop();
    handle.close();
    // The next attempt is not far.
    world.clock.advance(LINGER_MS - 5000);
    const next = await world.reconnectAfterWait();
    expect(next.heard).toEqual(["1@0+3"]);
    await next.answer(0);
    await next.answer(1);
    expect(next.heard).toEqual(["1@0+3", "1@10+9", "3@0+0"]);
    expect(underWay.answers.map(({ error }) => error)).toEqual([0]);
    await next.answer(2);
    world.clock.advance(LINGER_MS);
    expect([disk.status.unflushedBytes, disk.status.discardedBytes, world.log.of("error")]).toEqual([0, 0, []]);
  });

  it("gives it up after a minute without a server, says so, and counts it", async () => {
    const { world, server, handle, disk, underWay } = await written();
    await server.drop();
    handle.close();
    world.clock.advance(LINGER_MS);
    expect(world.log.of("error")).toEqual([
      "neither a client nor the server for 60 s: gave up 1 requests and 3 bytes that were acknowledged and not flushed",
    ]);
    expect(underWay.answers.map(({ error }) => error)).toEqual([NBD_ERROR.ESHUTDOWN]);
    expect(disk.status).toMatchObject({ discardedBytes: 3, unflushedBytes: 0, heldRequests: 0 });
    expect(world.budget.keptBytes).toBe(0);
    const next = await world.reconnectAfterWait();
    expect(next.requests.filter(({ command }) => command === COMMAND.WRITE)).toEqual([]);
  });

  it("counts the minute from when both are gone, whichever goes first", async () => {
    const { world, server, handle, disk } = await written();
    handle.close();
    await settle();
    world.clock.advance(10 * LINGER_MS);
    await server.drop();
    world.clock.advance(LINGER_MS - 1);
    expect(disk.status.discardedBytes).toBe(0);
    world.clock.advance(1);
    expect(disk.status.discardedBytes).toBe(3);
  });

  it("has it all for a client that comes in time", async () => {
    const { world, server, handle, disk } = await written();
    await server.drop();
    handle.close();
    world.clock.advance(LINGER_MS - 1);
    const other = disk.attach(USER);
    world.clock.advance(10 * LINGER_MS);
    const asked = request({ length: 3 });
    other.submit(asked);
    const next = await world.reconnectAfterWait();
    await next.answer(0);
    await next.answer(1);
    expect(next.heard.slice(0, 3)).toEqual(["1@0+3", "1@10+9", "0@0+3"]);
    expect(world.log.of("error")).toEqual([]);
  });

  it("counts the minute anew when the server was back meanwhile", async () => {
    const { world, server, handle, disk } = await written();
    await server.drop();
    handle.close();
    world.clock.advance(LINGER_MS - 5000);
    const next = await world.reconnectAfterWait();
    await next.drop();
    world.clock.advance(LINGER_MS - 1);
    expect(disk.status.discardedBytes).toBe(0);
    world.clock.advance(1);
    expect(disk.status.discardedBytes).toBe(3);
  });

  it("waits for nothing when there is nothing to keep", async () => {
    const { world, server, handle, disk } = await ResilientWorld.open();
    handle.submit(request({ length: 3 }));
    await server.drop();
    handle.close();
    world.clock.advance(10 * LINGER_MS);
    expect([disk.status.heldRequests, world.log.of("error")]).toEqual([0, []]);
  });

  it("drops its unsent requests, though another write waits for one of them", async () => {
    const { server, handle, disk } = await written();
    const other = disk.attach(USER);
    const [mine, theirs] = [request({ text: "mine", offset: 12 }), request({ text: "theirs", offset: 14 })];
    handle.submit(mine);
    other.submit(theirs);
    handle.close();
    expect(mine.answers.map(({ error }) => error)).toEqual([NBD_ERROR.ESHUTDOWN]);
    await server.answer(1);
    expect(server.heard.slice(2)).toEqual(["1@14+6"]);
  });
});

describe("ResilientDisk that nobody uses", () => {
  /** A disk whose users have left, and whose server is away. */
  async function unused() {
    const opened = await ResilientWorld.open();
    opened.handle.close();
    await opened.server.drop();
    return opened;
  }

  it("takes the export as it is now, says so, and has its geometry from then on", async () => {
    const { world, disk } = await unused();
    const next = await world.reconnect({ sizeBytes: 4096 });
    expect([next.stream.destroyed, disk.geometry.sizeBytes]).toEqual([false, 4096]);
    expect(world.log.of("warning").at(1)).toBe(
      "server store:10809: its size is 4096 bytes now, not 1048576; nobody uses it",
    );
    const asked = request({ text: "abc" });
    disk.attach(USER).submit(asked);
    await settle();
    await next.answer(0);
    expect(asked.answers.map(({ error }) => error)).toEqual([0]);
    // This is the measure now.
    await next.drop();
    const former = await world.reconnectAfterWait();
    expect(former.stream.destroyed).toBe(true);
  });

  it("does not while something is kept for the export as it was", async () => {
    const { world, server, handle, disk } = await written();
    await server.drop();
    handle.close();
    const stranger = await world.reconnect({ sizeBytes: 4096 });
    expect([stranger.stream.destroyed, stranger.heard, disk.geometry.sizeBytes]).toEqual([true, [], 1024 * 1024]);
    world.clock.advance(LINGER_MS);
    const next = await world.reconnectAfterWait({ sizeBytes: 4096 });
    expect([next.stream.destroyed, disk.geometry.sizeBytes]).toEqual([false, 4096]);
  });

  it("does not while somebody uses it, though he has nothing to ask", async () => {
    const { world, server, disk } = await ResilientWorld.open();
    await server.drop();
    const stranger = await world.reconnect({ sizeBytes: 4096 });
    expect([stranger.stream.destroyed, disk.geometry.sizeBytes]).toEqual([true, 1024 * 1024]);
  });

  it("protects writes as the export now allows", async () => {
    const { world, disk } = await unused();
    const next = await world.reconnect({ sizeBytes: 4096 });
    disk.attach(USER).submit(request({ text: "abc" }));
    await settle();
    await next.answer(0);
    await next.drop();
    const last = await world.reconnectAfterWait({ sizeBytes: 4096 });
    expect(last.heard).toEqual(["1@0+3"]);
    expect(disk.status).toMatchObject({ unflushedBytes: 3, replays: 1 });
    expect(last.requests[0]?.command).toBe(COMMAND.WRITE);
  });
});
