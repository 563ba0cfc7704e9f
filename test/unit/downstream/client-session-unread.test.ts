import { describe, expect, it } from "vitest";

import { LIMITS } from "../../../src/limits.ts";
import { ByteBudget } from "../../../src/transport/byte-budget.ts";
import { HeldDisk } from "../support/held-disk.ts";
import { settle } from "../support/settle.ts";
import { SessionWorld } from "./served-client.ts";

const KIB = 1024;
const HOUR_MS = 3_600_000;
const COMPLAINT = "client client: leaves its answers unread while others wait for memory; hanging up";

/** A client that has been answered and does not read, with all of the budget in its answers. */
async function setUp() {
  const disk = new HeldDisk();
  const world = new SessionWorld(disk, new ByteBudget(64 * KIB, 100));
  const deaf = await world.join();
  deaf.stream.takeOnly(0);
  deaf.client.read(0, 64 * KIB);
  await settle();
  disk.answerAll();
  await settle();
  expect(world.budget.heldBytes).toBe(64 * KIB);
  return { world, disk, deaf };
}

describe("a client that leaves its answers unread", () => {
  it("may do so for as long as it likes while nobody else needs the memory", async () => {
    const { world, deaf } = await setUp();
    for (let hour = 0; hour < 24; hour += 1) world.clock.advance(HOUR_MS);
    expect([world.left, world.log.of("warning"), world.clock.pending]).toEqual([0, [], 1]);
    deaf.stream.take();
    await settle();
    expect(deaf.client.replies).toHaveLength(1);
    deaf.stream.drop();
    await settle();
    world.clock.advance(HOUR_MS);
    await world.expectNothingHeld();
  });

  it("is hung up on when somebody else waits for memory, within the time in which it could have read them", async () => {
    const { world, disk } = await setUp();
    const other = await world.join();
    other.client.read(0, 512);
    await settle();
    const allowedMs = LIMITS.messageMs + (64 * KIB + 16) / LIMITS.payloadBytesPerMs;
    world.clock.advance(allowedMs - 1);
    expect([world.left, disk.held.length]).toEqual([0, 0]);
    world.clock.advance(1);
    await settle();
    expect([world.left, disk.held.length, world.log.of("warning")]).toEqual([1, 1, [COMPLAINT]]);
    disk.answerAll();
    await settle();
    expect(other.client.answers).toEqual([[1n, 0]]);
    other.stream.drop();
    await world.expectNothingHeld();
  });

  it("is hung up on soon also when somebody begins to wait much later", async () => {
    const { world, disk } = await setUp();
    world.clock.advance(10 * HOUR_MS);
    const other = await world.join();
    other.client.read(0, 512);
    await settle();
    world.clock.advance(2 * LIMITS.messageMs);
    await settle();
    expect([world.left, disk.held.length]).toEqual([1, 1]);
    disk.answerAll();
    other.stream.drop();
    await world.expectNothingHeld();
  });

  it("may be slow as long as it goes on: every batch of answers has its own time", async () => {
    const { world, disk, deaf } = await setUp();
    const other = await world.join();
    for (let turn = 0; turn < 10; turn += 1) {
      deaf.client.read(0, 64 * KIB);
      other.client.read(0, 512);
      await settle();
      world.clock.advance(LIMITS.messageMs - 1);
      expect(world.left).toBe(0);
      deaf.stream.take(64 * KIB + 16);
      await settle();
      disk.answerAll();
      await settle();
      disk.answerAll();
      await settle();
    }
    expect(world.left).toBe(0);
    for (const { stream } of [deaf, other]) stream.drop();
    await settle();
    world.clock.advance(HOUR_MS);
    await world.expectNothingHeld();
  });

  it("leaves no timer behind when it is hung up on for another reason, and reads a little after that", async () => {
    const { world, disk, deaf } = await setUp();
    deaf.client.ask({ command: 99 });
    deaf.stream.say(Buffer.alloc(100, 0x41));
    await settle();
    deaf.stream.take(64 * KIB + 16);
    await settle();
    deaf.stream.drop();
    disk.answerAll();
    await world.expectNothingHeld();
  });
});
