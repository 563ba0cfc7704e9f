import { describe, expect, it } from "vitest";

import { MemoryDisk } from "../../../src/disks/memory-disk.ts";
import { LIMITS } from "../../../src/limits.ts";
import { COMMAND, NBD_ERROR } from "../../../src/protocol/constants.ts";
import { HeldDisk } from "../support/held-disk.ts";
import { requestBytes } from "../support/naive-codec.ts";
import { clientHello } from "../support/negotiation.ts";
import { settle } from "../support/settle.ts";
import { SessionWorld } from "./served-client.ts";

const SIZE = 1024 * 1024;

/** A short session with a bit of everything. */
const SESSION = Buffer.concat([
  clientHello(),
  requestBytes({ command: COMMAND.WRITE, cookie: 1n, offset: 10, payload: Buffer.from("payload") }),
  requestBytes({ command: COMMAND.READ, cookie: 2n, offset: 8, length: 100 }),
  requestBytes({ command: COMMAND.WRITE, cookie: 3n, offset: SIZE, payload: Buffer.from("refused") }),
  requestBytes({ command: COMMAND.FLUSH, cookie: 4n }),
  requestBytes({ command: COMMAND.DISC }),
]);

describe("a client that leaves", () => {
  it.each(["drop", "sayEnd"] as const)("leaves nothing behind, at whatever byte it does, by %s", async (leave) => {
    for (let cut = 0; cut <= SESSION.length; cut += 1) {
      const world = new SessionWorld(new MemoryDisk({ sizeBytes: SIZE }));
      const { stream } = world.serve();
      stream.say(SESSION.subarray(0, cut));
      if (cut % 2 === 0) await settle();
      stream[leave]();
      await world.expectNothingHeld();
    }
  });

  it.each(["drop", "sayEnd"] as const)(
    "leaves nothing behind while its requests are unanswered, by %s",
    async (leave) => {
      for (let cut = clientHello().length; cut <= SESSION.length; cut += 1) {
        const disk = new HeldDisk();
        const world = new SessionWorld(disk);
        const { stream } = world.serve();
        stream.say(SESSION.subarray(0, cut));
        await settle();
        stream[leave]();
        await settle();
        disk.answerAll();
        await world.expectNothingHeld();
        expect(disk.closedHandles).toBe(1);
      }
    },
  );

  it("has what was not sent dropped when it vanishes", async () => {
    const disk = new HeldDisk();
    const world = new SessionWorld(disk);
    const { stream, client } = await world.join();
    client.write(0, Buffer.from("unanswered"));
    await settle();
    stream.drop();
    await settle();
    expect([disk.closedHandles, disk.held]).toEqual([1, []]);
    await world.expectNothingHeld();
  });

  it("frees its place when it vanishes, although its requests complete only later", async () => {
    const disk = new HeldDisk();
    disk.dropsOnClose = false;
    const world = new SessionWorld(disk);
    const { stream, client } = await world.join();
    client.write(0, Buffer.from("unanswered"));
    await settle();
    stream.drop();
    await settle();
    expect([world.left, disk.closedHandles, world.budget.heldBytes]).toEqual([1, 1, 10]);
    disk.answerAll();
    await world.expectNothingHeld();
  });
});

describe("DISC", () => {
  it("is obeyed when everything before it is answered", async () => {
    const disk = new HeldDisk();
    const world = new SessionWorld(disk);
    const { stream, client } = await world.join();
    client.read(0, 4);
    client.write(8, Buffer.from("last"));
    client.disconnect();
    await settle();
    expect([world.left, stream.finished, disk.closedHandles]).toEqual([0, false, 0]);
    disk.answer(disk.held[0]);
    await settle();
    expect([world.left, stream.finished]).toEqual([0, false]);
    disk.answer(disk.held[0]);
    await settle();
    expect([world.left, stream.finished, disk.closedHandles]).toEqual([1, true, 1]);
    expect(client.answers).toEqual([
      [1n, 0],
      [2n, 0],
    ]);
    await world.expectNothingHeld();
  });

  it("is obeyed when the last answer before it is a refusal", async () => {
    const world = new SessionWorld(new MemoryDisk({ sizeBytes: SIZE }));
    const { stream, client } = await world.join();
    stream.say(Buffer.concat([requestBytes({ command: 99, cookie: 1n }), requestBytes({ command: COMMAND.DISC })]));
    await settle();
    expect(client.answers).toEqual([[1n, NBD_ERROR.EINVAL]]);
    expect([world.left, stream.finished]).toEqual([1, true]);
    await world.expectNothingHeld();
  });

  it("waits until the last answer has left", async () => {
    const world = new SessionWorld(new MemoryDisk({ sizeBytes: SIZE }));
    const { stream, client } = await world.join();
    stream.takeOnly(100);
    client.read(0, 1000);
    client.disconnect();
    await settle();
    expect([world.left, stream.finished]).toEqual([0, false]);
    stream.take();
    await settle();
    expect([world.left, stream.finished]).toEqual([1, true]);
    expect(client.replies).toHaveLength(1);
    await world.expectNothingHeld();
  });

  it("has its requests carried out even when the client does not wait for the answers", async () => {
    const disk = new HeldDisk();
    const world = new SessionWorld(disk);
    const { stream, client } = await world.join();
    client.write(8, Buffer.from("last"));
    client.disconnect();
    await settle();
    stream.drop();
    await settle();
    expect([world.left, disk.closedHandles, disk.held.length]).toEqual([1, 0, 1]);
    disk.answerAll();
    await settle();
    expect(disk.closedHandles).toBe(1);
    await world.expectNothingHeld();
  });

  it("gives the client a moment to close, then closes", async () => {
    const world = new SessionWorld(new MemoryDisk({ sizeBytes: SIZE }));
    const { stream, client } = await world.join();
    client.disconnect();
    await settle();
    world.clock.advance(LIMITS.farewellMs - 1);
    expect(stream.destroyed).toBe(false);
    world.clock.advance(1);
    expect(stream.destroyed).toBe(true);
    await world.expectNothingHeld();
  });
});

describe("draining a session", () => {
  it("lets a client go that is still negotiating", async () => {
    const world = new SessionWorld(new MemoryDisk({ sizeBytes: SIZE }));
    const { session, stream } = world.serve();
    session.drain();
    session.drain();
    await settle();
    expect([world.left, stream.finished]).toEqual([1, true]);
    await world.expectNothingHeld();
  });

  it("lets an idle client go at once", async () => {
    const world = new SessionWorld(new MemoryDisk({ sizeBytes: SIZE }));
    const { session, stream } = await world.join();
    session.drain();
    expect(world.left).toBe(1);
    await settle();
    expect(stream.finished).toBe(true);
    await world.expectNothingHeld();
  });

  it("answers what was received and takes nothing more, not even the rest of a payload", async () => {
    const disk = new HeldDisk();
    const world = new SessionWorld(disk);
    const { session, client, stream } = await world.join();
    client.read(0, 4);
    const half = requestBytes({ command: COMMAND.WRITE, payload: Buffer.alloc(500) });
    stream.say(half.subarray(0, 300));
    await settle();
    session.drain();
    session.drain();
    stream.say(half.subarray(300));
    client.read(4, 4);
    await settle();
    expect([world.left, disk.held.length]).toEqual([0, 1]);
    disk.answerAll();
    await settle();
    expect([world.left, stream.finished, disk.held.length]).toEqual([1, true, 0]);
    expect(client.replies).toHaveLength(1);
    await world.expectNothingHeld();
  });

  it("can be cut short", async () => {
    const disk = new HeldDisk();
    disk.dropsOnClose = false;
    const world = new SessionWorld(disk);
    const { session, client, stream } = await world.join();
    client.read(0, 4);
    await settle();
    session.drain();
    session.abort();
    expect([world.left, stream.destroyed]).toEqual([1, true]);
    disk.answerAll();
    await world.expectNothingHeld();
  });
});
