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
const MIB = 1024 * 1024;

function world(sizeBytes = SIZE): SessionWorld {
  return new SessionWorld(new MemoryDisk({ sizeBytes }));
}

describe("ClientSession against a hostile client", () => {
  it.each([
    ["an HTTP request", Buffer.from("GET / HTTP/1.1\r\nHost: nowhere.example\r\n\r\n")],
    ["zeros", Buffer.alloc(4096)],
    ["ones", Buffer.alloc(4096, 0xff)],
    ["client flags that were not offered", Buffer.from("80000003", "hex")],
    ["a wrong option magic", Buffer.from("0000000349484156454f50550000000700000000", "hex")],
  ])("hangs up on %s, with one line in the log", async (_name, bytes) => {
    const here = world();
    const { stream } = here.serve();
    stream.say(bytes);
    await settle();
    expect(here.log.of("warning")).toHaveLength(1);
    expect(here.log.of("warning")[0]).toMatch(/^client client: negotiation failed: .*; hanging up$/);
    expect(stream.finished).toBe(true);
    await here.expectNothingHeld();
  });

  it.each([0, 1, 3, 4, 20, 29])("hangs up when the handshake stops after %i bytes, at the deadline", async (count) => {
    const here = world();
    const { stream } = here.serve();
    stream.say(clientHello().subarray(0, count));
    here.clock.advance(LIMITS.handshakeMs - 1);
    expect(here.left).toBe(0);
    here.clock.advance(1);
    expect(here.left).toBe(1);
    expect(here.log.of("warning")).toEqual([
      "client client: negotiation failed: no complete handshake within 10 s; hanging up",
    ]);
    await here.expectNothingHeld();
  });

  it("does not time out a client that has negotiated", async () => {
    const here = world();
    const { stream } = await here.join();
    here.clock.advance(24 * 3600 * 1000);
    expect(here.left).toBe(0);
    stream.drop();
    await here.expectNothingHeld();
  });

  it("hangs up on a wrong request magic, but answers what came before it", async () => {
    const here = world();
    const { stream, client } = await here.join();
    client.read(0, 4);
    await settle();
    stream.say(Buffer.concat([requestBytes({ cookie: 77n, length: 0 }), Buffer.alloc(100, 0x41)]));
    await settle();
    expect(client.answers).toEqual([
      [1n, 0],
      [77n, 0],
    ]);
    expect(here.log.of("warning")).toEqual(["client client: wrong request magic 0x41414141; hanging up"]);
    await here.expectNothingHeld();
  });

  it("goes on reading after it hung up, so that its last words are not overtaken by a reset", async () => {
    const here = world();
    const { stream } = await here.join();
    stream.say(Buffer.alloc(100, 0x41));
    for (let count = 0; count < 20; count += 1) stream.say(Buffer.alloc(MIB));
    await settle();
    expect([stream.unreadBytes, stream.finished, stream.destroyed]).toEqual([0, true, false]);
    expect(here.pool.heldBytes).toBeLessThanOrEqual(2 * LIMITS.slabBytes);
    here.clock.advance(LIMITS.farewellMs);
    expect(stream.destroyed).toBe(true);
    await here.expectNothingHeld();
  });

  it("reads a payload of 33 MiB to its end, refuses it, holds no memory for it, and goes on", async () => {
    const here = world(128 * MIB);
    const { stream, client } = await here.join();
    stream.say(requestBytes({ command: COMMAND.WRITE, cookie: 9n, length: 33 * MIB }));
    for (let count = 0; count < 33; count += 1) {
      stream.say(Buffer.alloc(MIB));
      expect(here.pool.heldBytes).toBeLessThanOrEqual(2 * LIMITS.slabBytes);
    }
    expect(here.budget.heldBytes).toBe(0);
    client.read(0, 1);
    await settle();
    expect(client.answers).toEqual([
      [9n, NBD_ERROR.EINVAL],
      [1n, 0],
    ]);
    stream.drop();
    await here.expectNothingHeld();
  });

  it("takes a payload of 32 MiB", async () => {
    const here = world(128 * MIB);
    const { stream, client } = await here.join();
    stream.say(requestBytes({ command: COMMAND.WRITE, cookie: 9n, length: 32 * MIB }));
    for (let count = 0; count < 32; count += 1) stream.say(Buffer.alloc(MIB, count));
    await settle();
    expect(client.answers).toEqual([[9n, 0]]);
    stream.drop();
    await here.expectNothingHeld();
  });

  it("hangs up on a payload beyond 64 MiB at once, without reading it", async () => {
    const here = world(1024 * MIB);
    const { stream, client } = await here.join();
    stream.say(requestBytes({ command: COMMAND.WRITE, length: LIMITS.discardPayloadBytes + 1 }));
    await settle();
    expect(client.replies).toEqual([]);
    expect(here.log.of("warning")).toEqual(["client client: a request with a payload of 67108865 bytes; hanging up"]);
    expect(stream.finished).toBe(true);
    await here.expectNothingHeld();
  });

  it("refuses a READ of 4 GiB without allocating anything", async () => {
    const here = world(2 ** 40);
    const { stream, client } = await here.join();
    stream.say(requestBytes({ cookie: 1n, length: 0xffff_ffff }));
    await settle();
    expect(client.answers).toEqual([[1n, NBD_ERROR.EINVAL]]);
    stream.drop();
    await here.expectNothingHeld();
  });

  it("understands nothing that comes behind a DISC", async () => {
    const disk = new HeldDisk();
    const here = new SessionWorld(disk);
    const { stream, client } = await here.join();
    client.read(0, 1);
    client.disconnect();
    client.read(8, 8);
    client.write(16, Buffer.from("late"));
    await settle();
    expect(disk.held.map(({ offset }) => offset)).toEqual([0]);
    disk.answerAll();
    await settle();
    expect(client.answers).toEqual([[1n, 0]]);
    expect(stream.finished).toBe(true);
    await here.expectNothingHeld();
  });

  it("survives that a client's requests are dropped while one of them is half received", async () => {
    const disk = new HeldDisk();
    const here = new SessionWorld(disk);
    const { stream, client } = await here.join();
    client.write(0, Buffer.alloc(1000));
    stream.say(requestBytes({ command: COMMAND.WRITE, payload: Buffer.alloc(300_000) }).subarray(0, 290_000));
    await settle();
    expect(here.budget.heldBytes).toBe(301_000);
    stream.drop();
    await here.expectNothingHeld();
    expect(disk.held).toEqual([]);
  });
});
