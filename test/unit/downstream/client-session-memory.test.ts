import { describe, expect, it } from "vitest";

import { MemoryDisk } from "../../../src/disks/memory-disk.ts";
import { LIMITS } from "../../../src/limits.ts";
import { COMMAND, NBD_ERROR } from "../../../src/protocol/constants.ts";
import { ByteBudget } from "../../../src/transport/byte-budget.ts";
import { HeldDisk } from "../support/held-disk.ts";
import { requestBytes } from "../support/naive-codec.ts";
import { settle } from "../support/settle.ts";
import { SessionWorld } from "./served-client.ts";

const KIB = 1024;
const MIB = 1024 * KIB;

describe("a client that does not read its replies", () => {
  it("has its requests left unread once it owes too much, and is served on when it reads again", async () => {
    const world = new SessionWorld(new MemoryDisk({ sizeBytes: MIB }));
    const { stream, client } = await world.join();
    stream.takeOnly(0);
    for (let count = 0; count < 400; count += 1) {
      client.read(0, 64 * KIB);
      await settle();
    }
    expect(stream.paused).toBe(true);
    expect(stream.unreadBytes).toBeGreaterThan(300 * 28);
    expect(world.budget.heldBytes).toBeLessThanOrEqual(LIMITS.clientBacklogBytes + 64 * KIB);
    stream.take();
    await settle();
    expect(client.replies).toHaveLength(400);
    client.disconnect();
    await settle();
    expect(stream.finished).toBe(true);
    await world.expectNothingHeld();
  });

  it("has its requests left unread as well when all of them are refused", async () => {
    const world = new SessionWorld(new MemoryDisk({ sizeBytes: MIB }));
    const { stream, client } = await world.join();
    stream.takeOnly(0);
    const refused = Buffer.concat(Array.from({ length: 1000 }, () => requestBytes({ command: 99 })));
    for (let count = 0; count < 400; count += 1) {
      stream.say(refused);
      if (count % 50 === 0) await settle();
    }
    expect(stream.paused).toBe(true);
    expect(stream.unreadBytes).toBeGreaterThan(0);
    expect(stream.backlogBytes).toBeLessThanOrEqual(LIMITS.clientBacklogBytes);
    stream.take();
    await settle();
    expect(stream.unreadBytes).toBe(0);
    expect(client.replies).toHaveLength(400_000);
    stream.drop();
    await world.expectNothingHeld();
    // 400,000 answers are looked at one by one, which takes a busy machine a while.
  }, 60_000);

  it("gives everything back when it vanishes with replies unread", async () => {
    const world = new SessionWorld(new MemoryDisk({ sizeBytes: MIB }));
    const { stream, client } = await world.join();
    stream.takeOnly(100);
    for (let count = 0; count < 100; count += 1) client.read(0, 64 * KIB);
    await settle();
    expect(world.budget.heldBytes).toBeGreaterThan(0);
    stream.drop();
    await world.expectNothingHeld();
  });

  it("does not keep others waiting who could be served", async () => {
    const budget = new ByteBudget(10 * MIB, 100);
    const disk = new HeldDisk({ sizeBytes: 64 * MIB });
    const world = new SessionWorld(disk, budget);
    const [slow, other, third] = [await world.join(), await world.join(), await world.join()];
    third.client.read(0, 4 * MIB);
    slow.stream.takeOnly(0);
    slow.client.read(0, 5 * MIB);
    slow.client.read(0, 6 * MIB);
    other.client.read(0, 2 * MIB);
    await settle();
    expect(disk.held.map(({ length }) => length / MIB)).toEqual([4, 5]);
    // Its first answer is more than it may leave unread, so its second request has to wait for itself alone.
    disk.answer(disk.held[1]);
    await settle();
    disk.answer(disk.held[0]);
    await settle();
    disk.answerAll();
    await settle();
    expect(other.client.answers).toEqual([[1n, 0]]);
    slow.stream.take();
    await settle();
    disk.answerAll();
    await settle();
    expect(slow.client.replies).toHaveLength(2);
    for (const { stream } of [slow, other, third]) stream.drop();
    await world.expectNothingHeld();
  });
});

describe("clients that share a budget", () => {
  it("wait when it is used up, and go on in the order in which they came", async () => {
    const disk = new HeldDisk();
    const world = new SessionWorld(disk, new ByteBudget(100 * KIB, 100));
    const [one, two, three] = [await world.join(), await world.join(), await world.join()];
    one.client.read(0, 60 * KIB);
    one.client.read(1, 60 * KIB);
    two.client.read(2, 60 * KIB);
    three.client.read(3, 10 * KIB);
    await settle();
    expect(disk.held.map(({ offset }) => offset)).toEqual([0]);
    expect([one, two, three].map(({ stream }) => stream.paused)).toEqual([true, true, true]);
    const order: number[] = [];
    while (disk.held.length > 0) {
      order.push(...disk.held.map(({ offset }) => offset));
      disk.answerAll();
      await settle();
    }
    expect(order).toEqual([0, 1, 2, 3]);
    expect([one, two, three].map(({ client }) => client.replies.length)).toEqual([2, 1, 1]);
    for (const { stream } of [one, two, three]) stream.drop();
    await world.expectNothingHeld();
  });

  it("leave some of it to the others: a single one may hold 64 MiB, and begin one request more", async () => {
    const disk = new HeldDisk({ sizeBytes: 1024 * MIB });
    const world = new SessionWorld(disk);
    const [greedy, modest] = [await world.join(), await world.join()];
    for (let count = 0; count < 100; count += 1) greedy.client.read(count * MIB, 30 * MIB);
    await settle();
    expect(disk.held.map(({ length }) => length / MIB)).toEqual([30, 30, 30]);
    expect([greedy.stream.paused, modest.stream.paused]).toEqual([true, false]);
    modest.client.read(0, 32 * MIB);
    modest.client.write(0, Buffer.alloc(4096));
    await settle();
    expect(disk.held).toHaveLength(5);
    for (const { stream } of [greedy, modest]) stream.drop();
    await world.expectNothingHeld();
  });

  it("let one go on that held too much as soon as it holds less", async () => {
    const disk = new HeldDisk({ sizeBytes: 1024 * MIB });
    const world = new SessionWorld(disk);
    const { client, stream } = await world.join();
    for (let count = 0; count < 70; count += 1) client.read(count, MIB);
    await settle();
    expect(disk.held).toHaveLength(LIMITS.clientBytes / MIB);
    disk.answer(disk.held[0], NBD_ERROR.EIO);
    await settle();
    expect(disk.held).toHaveLength(LIMITS.clientBytes / MIB);
    disk.answerAll(NBD_ERROR.EIO);
    await settle();
    disk.answerAll(NBD_ERROR.EIO);
    await settle();
    expect(client.replies).toHaveLength(70);
    stream.drop();
    await world.expectNothingHeld();
  });

  it("do not wait for one that left while it waited", async () => {
    const disk = new HeldDisk();
    disk.dropsOnClose = false;
    const world = new SessionWorld(disk, new ByteBudget(100, 100));
    const [one, two, three] = [await world.join(), await world.join(), await world.join()];
    one.client.read(0, 60);
    two.client.read(1, 90);
    three.client.read(2, 30);
    await settle();
    two.stream.drop();
    await settle();
    expect(disk.held.map(({ offset }) => offset)).toEqual([0, 2]);
    disk.answerAll();
    for (const { stream } of [one, three]) stream.drop();
    await world.expectNothingHeld();
  });

  it("do not deadlock on a request that is larger than the whole budget", async () => {
    const disk = new HeldDisk();
    const world = new SessionWorld(disk, new ByteBudget(100, 100));
    const [one, two] = [await world.join(), await world.join()];
    one.client.write(0, Buffer.alloc(90));
    two.client.write(1, Buffer.alloc(5000));
    one.client.write(2, Buffer.alloc(50));
    await settle();
    const order: number[] = [];
    while (disk.held.length > 0) {
      order.push(...disk.held.map(({ offset }) => offset));
      disk.answerAll();
      await settle();
    }
    expect(order).toEqual([0, 1, 2]);
    for (const { stream } of [one, two]) stream.drop();
    await world.expectNothingHeld();
  });

  it("hold no more requests than the budget has places for, however small they are", async () => {
    const disk = new HeldDisk();
    const world = new SessionWorld(disk, new ByteBudget(MIB, 10));
    const { client, stream } = await world.join();
    for (let count = 0; count < 25; count += 1) client.ask({ command: COMMAND.TRIM, length: 1 });
    await settle();
    for (const expected of [10, 10, 5, 0]) {
      expect(disk.held).toHaveLength(expected);
      disk.answerAll();
      await settle();
    }
    expect(client.replies).toHaveLength(25);
    stream.drop();
    await world.expectNothingHeld();
  });
});

describe("a single client", () => {
  it("has a limited number of requests in flight", async () => {
    const disk = new HeldDisk();
    const world = new SessionWorld(disk);
    const { client, stream } = await world.join();
    for (let count = 0; count < LIMITS.clientRequests + 10; count += 1)
      client.ask({ command: COMMAND.TRIM, length: 1 });
    await settle();
    expect(disk.held).toHaveLength(LIMITS.clientRequests);
    disk.answer(disk.held[0]);
    await settle();
    expect(disk.held).toHaveLength(LIMITS.clientRequests);
    disk.answerAll();
    await settle();
    disk.answerAll();
    await settle();
    expect(client.replies).toHaveLength(LIMITS.clientRequests + 10);
    stream.drop();
    await world.expectNothingHeld();
  });
});
