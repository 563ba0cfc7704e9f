import { describe, expect, it } from "vitest";

import { LIMITS } from "../../../src/limits.ts";
import { NBD_ERROR } from "../../../src/protocol/constants.ts";
import { diskBytes } from "../support/held-disk.ts";
import { settle } from "../support/settle.ts";
import { request } from "./requests.ts";
import { ResilientWorld, SILENCE_MS } from "./resilient-world.ts";

// With --fence strict nothing is sent over the next connection before the server itself has ended the one before.

/** A disk whose server has been silent for too long, with a write unanswered, and the next connection ready. */
async function givenUp(fence: "strict" | "none" = "strict") {
  const opened = await ResilientWorld.open({ fence });
  const { world, handle } = opened;
  const write = request({ text: "stuck" });
  const read = request({ offset: 100, length: 4 });
  for (const one of [write, read]) handle.submit(one);
  await settle();
  world.clock.advance(SILENCE_MS);
  const candidate = await world.reconnect();
  world.clock.advance(LIMITS.patienceMs);
  await settle();
  return { ...opened, candidate, write, read };
}

describe("ResilientDisk with a strict fence", () => {
  it("waits for the server to end the connection that was given up, however long that takes", async () => {
    const { world, server, candidate, write } = await givenUp();
    world.clock.advance(3_600_000);
    await settle();
    expect([server.stream.destroyed, candidate.heard, write.answers]).toEqual([false, [], []]);
    server.stream.sayEnd();
    await settle();
    expect(candidate.heard).toEqual(["1@0+5"]);
    expect(world.disk.status.unfencedReconnects).toBe(0);
  });

  it("takes late answers meanwhile, and does not send again what they answer", async () => {
    const { server, candidate, read, write } = await givenUp();
    await server.answer(1, 0, diskBytes(100, 4));
    await server.answer(0);
    expect([read.answers.length, write.answers.length]).toEqual([1, 1]);
    server.stream.sayEnd();
    await settle();
    // It was acknowledged, but not flushed.
    expect(candidate.heard).toEqual(["1@0+5"]);
  });

  it("goes on after an answer that nobody waits for any more", async () => {
    const { server, candidate, handle, disk, read } = await givenUp();
    disk.attach({ onReset: () => undefined });
    handle.close();
    expect(read.answers.map(({ error }) => error)).toEqual([NBD_ERROR.ESHUTDOWN]);
    await server.answer(1, 0, diskBytes(100, 4));
    expect(server.stream.destroyed).toBe(false);
    server.stream.sayEnd();
    await settle();
    expect(candidate.heard).toEqual(["1@0+5"]);
  });

  it("goes on at once when the server itself ended the connection, and dials the next one meanwhile", async () => {
    const { world, server, handle } = await ResilientWorld.open({ fence: "strict" });
    handle.submit(request({ text: "abc" }));
    await settle();
    server.stream.sayEnd();
    await settle();
    const next = await world.reconnect();
    expect(next.heard).toEqual(["1@0+3"]);
  });

  it("stops, and says so, when the connection ended without the server", async () => {
    const { world, server, handle } = await ResilientWorld.open({ fence: "strict" });
    const asked = request({ text: "abc" });
    handle.submit(asked);
    await settle();
    server.stream.drop(Object.assign(new Error("read ETIMEDOUT"), { code: "ETIMEDOUT" }));
    await settle();
    const next = await world.reconnect();
    world.clock.advance(3_600_000);
    await settle();
    expect([next.heard, asked.answers]).toEqual([[], []]);
    expect(world.log.of("error")).toEqual([
      "the connection ended without the server: what it was sent may still be carried out; stopping here",
    ]);
  });

  it("takes another connection when the one that was ready is lost before its time", async () => {
    const { world, server, candidate } = await givenUp();
    await candidate.drop();
    const next = await world.reconnectAfterWait();
    expect(next.heard).toEqual([]);
    server.stream.sayEnd();
    await settle();
    expect(next.heard).toEqual(["1@0+5"]);
  });

  it("leaves nothing behind when it is closed while it waits", async () => {
    const { world, server, candidate, disk } = await givenUp();
    const closed = disk.close();
    for (let second = 0; second < 20; second += 1) {
      await settle();
      world.clock.advance(1000);
    }
    expect(await closed).toEqual({ flushed: false, discardedBytes: 0 });
    expect([server.stream.closed, candidate.stream.closed, world.clock.pending]).toEqual([true, true, 0]);
    expect(world.pool.heldBytes).toBe(0);
  });
});

describe("ResilientDisk without a fence", () => {
  it("goes on at once, and counts that the server did not confirm the end", async () => {
    const { world, candidate } = await givenUp("none");
    expect([candidate.heard, world.disk.status.unfencedReconnects]).toEqual([["1@0+5"], 1]);
  });

  it("does not count a connection that the server ended", async () => {
    const { world, server } = await ResilientWorld.open();
    server.stream.sayEnd();
    await settle();
    await world.reconnect();
    expect(world.disk.status.unfencedReconnects).toBe(0);
  });
});
