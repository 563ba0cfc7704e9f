import { describe, expect, it } from "vitest";

import { LIMITS } from "../../../src/limits.ts";
import { NBD_ERROR } from "../../../src/protocol/constants.ts";
import { diskBytes } from "../support/held-disk.ts";
import { replyBytes } from "../support/naive-codec.ts";
import { ALL_FLAGS } from "../support/negotiation.ts";
import { settle } from "../support/settle.ts";
import { request } from "./requests.ts";
import { ResilientWorld, SILENCE_MS } from "./resilient-world.ts";

/** A disk whose server has been silent for too long, with a READ and a WRITE unanswered. */
async function silent(options: Parameters<typeof ResilientWorld.open>[0] = {}) {
  const opened = await ResilientWorld.open(options);
  const read = request({ offset: 100, length: 50 });
  const write = request({ text: "unanswered" });
  opened.handle.submit(read);
  opened.handle.submit(write);
  await settle();
  opened.world.clock.advance(SILENCE_MS);
  return { ...opened, read, write };
}

/** The same, given up because the server greeted nobody else; it can be reached no more. */
async function givenUpUngreeted() {
  const opened = await silent();
  const { world } = opened;
  for (let turn = 0; turn < LIMITS.ungreetedAttempts; turn += 1) {
    world.clock.advance(LIMITS.retryMs);
    world.network.lastDial.connect();
    world.clock.advance(LIMITS.handshakeMs);
    await settle();
  }
  expect(opened.server.stream.finished).toBe(true);
  return opened;
}

const errors = (one: ReturnType<typeof request>): number[] => one.answers.map(({ error }) => error);

describe("ResilientDisk whose server is silent", () => {
  it("keeps the connection while another attempt beside it is refused, and takes the answers when they come", async () => {
    const { world, server, read, write } = await silent();
    for (let turn = 0; turn < 100; turn += 1) await world.refuse();
    expect([world.network.dials.length, server.stream.destroyed]).toEqual([102, false]);
    await server.answer(1);
    await server.answer(0, 0, diskBytes(100, 50));
    expect([errors(write), read.answers]).toEqual([[0], [{ error: 0, data: diskBytes(100, 50) }]]);
    expect([world.resets, server.heard.length]).toEqual([0, 2]);
    const dials = world.network.dials.length;
    world.clock.advance(LIMITS.flushAgeMs + 1);
    await settle();
    await server.answer(2);
    world.clock.advance(3_600_000);
    expect([world.network.dials.length, world.clock.pending]).toEqual([dials, 0]);
  });

  it("drops the candidate, and says nothing over it, when the server is heard again", async () => {
    const { world, server, write } = await silent();
    const candidate = await world.reconnect();
    world.clock.advance(LIMITS.patienceMs - 1);
    await server.answer(1);
    expect([errors(write), candidate.stream.destroyed, candidate.heard]).toEqual([[0], true, []]);
    world.clock.advance(SILENCE_MS - 1);
    expect(world.network.dials).toHaveLength(2);
    // The READ still waits: silence can come again.
    world.clock.advance(1);
    world.clock.advance(0);
    expect(world.network.dials).toHaveLength(3);
  });

  it("gives the connection up, and sends everything over the candidate, ten seconds after that is ready", async () => {
    const { world, server, read, write } = await silent();
    const candidate = await world.reconnect();
    world.clock.advance(LIMITS.patienceMs);
    await settle();
    expect(server.heard).toEqual(["0@100+50", "1@0+10", "2@0+0"]);
    expect(server.stream.finished).toBe(true);
    expect(candidate.heard).toEqual(["1@0+10"]);
    await candidate.answer(0);
    expect(candidate.heard).toEqual(["1@0+10", "0@100+50", "3@0+0"]);
    await candidate.answer(1, 0, diskBytes(100, 50));
    await candidate.answer(2);
    expect([errors(write), read.answers.length, world.resets]).toEqual([[0], 1, 1]);
    // The old connection is cut when the server has not finished with it.
    expect(server.stream.destroyed).toBe(false);
    world.clock.advance(LIMITS.retireMs);
    await settle();
    expect(server.stream.wasReset).toBe(true);
    world.clock.advance(SILENCE_MS);
    // When the pin ends, what was under way is written once more.
    const pinEndsMs = 60_000 - LIMITS.retireMs - SILENCE_MS;
    expect([world.clock.nextInMs, world.network.dials.length]).toEqual([pinEndsMs + 1, 2]);
  });

  it("takes a late answer over the old connection while there is no next one, once", async () => {
    const { world, server, read, write } = await givenUpUngreeted();
    await server.answer(0, 0, diskBytes(100, 50));
    expect(read.answers).toEqual([{ error: 0, data: diskBytes(100, 50) }]);
    const next = await world.reconnectAfterWait();
    await next.answer(0);
    expect(next.heard).toEqual(["1@0+10", "3@0+0"]);
    expect([errors(write), read.answers.length]).toEqual([[0], 1]);
  });

  it("takes no late answer once there is the next one: the old connection is cut, the new one goes on", async () => {
    const { world, server, read, write } = await silent();
    const candidate = await world.reconnect();
    world.clock.advance(LIMITS.patienceMs);
    await settle();
    await server.answer(0, 0, diskBytes(100, 50));
    expect([errors(read), errors(write), server.stream.destroyed]).toEqual([[], [], true]);
    await candidate.answer(0);
    await candidate.answer(1, 0, diskBytes(100, 50));
    expect([errors(read), errors(write), candidate.stream.destroyed]).toEqual([[0], [0], false]);
  });

  it("takes no late answer to what a stand-in was sent for meanwhile", async () => {
    const opened = await ResilientWorld.open();
    const { world, server, handle } = opened;
    const fua = request({ text: "to stay", flags: 1 });
    handle.submit(fua);
    await settle();
    world.clock.advance(SILENCE_MS);
    const candidate = await world.reconnect({ flags: ALL_FLAGS & ~0x08 });
    world.clock.advance(LIMITS.patienceMs);
    await settle();
    expect(candidate.requests.map(({ command, flags }) => [command, flags])).toEqual([[1, 0]]);
    await server.answer(0);
    expect([errors(fua), server.stream.destroyed]).toEqual([[], true]);
    await candidate.answer(0);
    await candidate.answer(1);
    expect(candidate.heard).toEqual(["1@0+7", "3@0+0"]);
    expect(errors(fua)).toEqual([0]);
  });

  it("takes no late answer to what was dropped with its client, and survives it", async () => {
    const { world, server, handle, read, write } = await silent();
    const candidate = await world.reconnect();
    world.clock.advance(LIMITS.patienceMs);
    handle.close();
    await settle();
    expect([errors(read), errors(write)]).toEqual([[NBD_ERROR.ESHUTDOWN], []]);
    await server.answer(0, 0, diskBytes(100, 50));
    expect([errors(read), server.stream.destroyed]).toEqual([[NBD_ERROR.ESHUTDOWN], true]);
    await candidate.answer(0);
    expect(errors(write)).toEqual([0]);
  });

  it("cuts the connection with a reset when part of a request has not left it", async () => {
    const { world, server, handle } = await ResilientWorld.open();
    server.stream.takeOnly(10);
    handle.submit(request({ text: "stuck halfway" }));
    await settle();
    world.clock.advance(SILENCE_MS);
    const candidate = await world.reconnect();
    world.clock.advance(LIMITS.patienceMs);
    await settle();
    expect([server.stream.wasReset, server.stream.finished]).toEqual([true, false]);
    expect(candidate.heard).toEqual(["1@0+13"]);
  });

  it("gives it up when the server greets nobody else while it lives, and is greeted then", async () => {
    const { world, server, write } = await silent();
    for (let turn = 0; turn < 2; turn += 1) {
      world.clock.advance(0);
      world.network.lastDial.connect();
      expect(server.stream.finished).toBe(false);
      world.clock.advance(LIMITS.handshakeMs);
      await settle();
      if (turn === 0) world.clock.advance(100);
    }
    expect([server.stream.finished, server.stream.destroyed]).toEqual([true, false]);
    server.stream.sayEnd();
    const next = await world.reconnectAfterWait();
    await next.answer(0);
    expect(errors(write)).toEqual([0]);
  });

  it("uses the candidate when the connection dies, at whatever stage that is", async () => {
    const ready = await silent();
    const candidate = await ready.world.reconnect();
    await ready.server.drop();
    expect([candidate.heard, ready.world.network.dials.length]).toEqual([["1@0+10"], 2]);

    const dialling = await silent();
    dialling.world.clock.advance(0);
    await dialling.server.drop();
    const next = await dialling.world.reconnect();
    expect([next.heard, dialling.world.network.dials.length]).toEqual([["1@0+10"], 2]);
  });

  it("sends nothing to a stranger beside it, and keeps it", async () => {
    const { world, server } = await silent();
    const stranger = await world.reconnect({ sizeBytes: 512 });
    world.clock.advance(LIMITS.patienceMs + 50);
    expect([stranger.stream.destroyed, stranger.heard, server.stream.finished]).toEqual([true, [], false]);
  });

  it("does not count the silence of a connection that is kept as an outage: nothing is refused", async () => {
    const { world, handle, read, write } = await silent({ holdTimeoutMs: 5000 });
    world.network.onDial = (dial) => dial.refuse();
    for (let turn = 0; turn < 100; turn += 1) await world.refuse();
    const late = request({ text: "late", offset: 200 });
    handle.submit(late);
    expect([errors(read), errors(write), errors(late)]).toEqual([[], [], []]);
  });

  it("counts a late answer for its request, not as a proof that the server is back", async () => {
    const { world, server } = await givenUpUngreeted();
    await server.answer(0, 0, diskBytes(100, 50));
    const next = await world.reconnectAfterWait();
    await next.drop();
    // Not at once: this one was given up before it had answered anything.
    const dials = world.network.dials.length;
    world.clock.advance(99);
    expect(world.network.dials).toHaveLength(dials);
    world.clock.advance(1);
    expect(world.network.dials).toHaveLength(dials + 1);
  });

  it("leaves nothing behind when it is closed in the middle of it", async () => {
    const { world, server, disk } = await silent();
    const candidate = await world.reconnect();
    const closed = disk.close();
    for (let second = 0; second < 60; second += 1) {
      await settle();
      world.clock.advance(1000);
    }
    expect(await closed).toEqual({ flushed: false, discardedBytes: 0 });
    expect([server.stream.closed, candidate.stream.closed, world.clock.pending]).toEqual([true, true, 0]);
    expect(world.pool.heldBytes).toBe(0);
  });
});

describe("ResilientDisk with an idle ping", () => {
  it("asks an idle server for a block, and for nothing while it is not idle", async () => {
    const { world, server, handle } = await ResilientWorld.open({ idlePingMs: 10_000 });
    world.clock.advance(9_999);
    await settle();
    expect(server.heard).toEqual([]);
    world.clock.advance(1);
    await settle();
    expect(server.heard).toEqual(["0@0+512"]);
    await server.answer(0, 0, Buffer.alloc(512));
    const asked = request({ offset: 4096, length: 1 });
    world.clock.advance(9_999);
    handle.submit(asked);
    await settle();
    await server.answer(1, 0, Buffer.alloc(1));
    world.clock.advance(9_999);
    await settle();
    expect(server.heard).toEqual(["0@0+512", "0@4096+1"]);
    world.clock.advance(1);
    await settle();
    expect(server.heard.at(-1)).toBe("0@0+512");
  });

  it("pings as often as it was told, though silence takes longer than that", async () => {
    const { world, server } = await ResilientWorld.open({ idlePingMs: 1000 });
    for (let turn = 0; turn < 20; turn += 1) {
      world.clock.advance(1000);
      await settle();
      await server.answer(turn, 0, Buffer.alloc(512));
    }
    expect(server.heard).toHaveLength(20);
  });

  it("notices a server that vanished without a sign before anybody asks for anything", async () => {
    const { world, server, handle } = await ResilientWorld.open({ idlePingMs: 10_000 });
    world.clock.advance(10_000 + SILENCE_MS);
    await settle();
    const candidate = await world.reconnect();
    world.clock.advance(LIMITS.patienceMs);
    await settle();
    expect(server.stream.finished).toBe(true);
    // Nobody waits for the ping.
    expect(candidate.heard).toEqual([]);
    const asked = request({ text: "works" });
    handle.submit(asked);
    await settle();
    await candidate.answer(0);
    expect(errors(asked)).toEqual([0]);
  });

  it("is content with an error, which is an answer", async () => {
    const { world, server } = await ResilientWorld.open({ idlePingMs: 10_000 });
    world.clock.advance(10_000);
    await settle();
    await server.answer(0, NBD_ERROR.EIO);
    world.clock.advance(9_999);
    expect([server.stream.destroyed, world.network.dials.length, world.log.of("warning")]).toEqual([false, 1, []]);
  });

  it("asks for a whole block where blocks are larger, and for nothing where the disk is smaller", async () => {
    const large = await ResilientWorld.open({ idlePingMs: 1000, hello: { blocks: [4096, 4096, 65_536] } });
    const tiny = await ResilientWorld.open({ idlePingMs: 1000, hello: { sizeBytes: 511 } });
    for (const { world } of [large, tiny]) world.clock.advance(1000);
    await settle();
    expect([large.server.heard, tiny.server.heard]).toEqual([["0@0+4096"], []]);
  });

  it("asks for nothing when it was not told to", async () => {
    const { world, server } = await ResilientWorld.open();
    world.clock.advance(24 * 3_600_000);
    await settle();
    expect([server.heard, world.clock.pending]).toEqual([[], 0]);
  });
});

describe("ResilientDisk that hears a late answer in pieces", () => {
  it("has it when it is whole, over a connection that was given up in the middle of it", async () => {
    const { server, read } = await givenUpUngreeted();
    const cookie = server.requests[0]?.cookie ?? 0n;
    const bytes = replyBytes({ cookie, data: diskBytes(100, 50) });
    for (const byte of bytes.subarray(0, -1)) server.stream.say(Buffer.from([byte]));
    expect(read.answers).toEqual([]);
    server.stream.say(bytes.subarray(-1));
    expect(read.answers).toEqual([{ error: 0, data: diskBytes(100, 50) }]);
  });
});
