import { describe, expect, it } from "vitest";

import { MemoryDisk } from "../../../src/disks/memory-disk.ts";
import { LIMITS } from "../../../src/limits.ts";
import { COMMAND, NBD_ERROR } from "../../../src/protocol/constants.ts";
import { ByteBudget } from "../../../src/transport/byte-budget.ts";
import { HeldDisk } from "../support/held-disk.ts";
import { requestBytes } from "../support/naive-codec.ts";
import { clientHello } from "../support/negotiation.ts";
import { settle } from "../support/settle.ts";
import { type ServedClient, SessionWorld } from "./served-client.ts";

const MIB = 1024 * 1024;
const MINUTE_MS = 60_000;
const WRITE = requestBytes({ command: COMMAND.WRITE, payload: Buffer.alloc(4096, 0x77) });
const TOO_SLOW = ["client client: a request was begun and did not go on; hanging up"];

function world(disk = new HeldDisk({ sizeBytes: 1024 * MIB }), budget?: ByteBudget): SessionWorld {
  return new SessionWorld(disk, budget);
}

/** Says bytes one by one, so far apart, until the client is hung up on; returns how long that took. */
async function trickle(here: SessionWorld, { stream }: ServedClient, bytes: Buffer, apartMs: number): Promise<number> {
  const beganMs = here.clock.nowMs();
  for (const byte of bytes) {
    stream.say(Buffer.from([byte]));
    const nextMs = here.clock.nowMs() + apartMs;
    while (here.clock.nowMs() < nextMs && here.left === 0) {
      here.clock.advance(Math.min(here.clock.nextInMs ?? apartMs, nextMs - here.clock.nowMs()));
    }
    if (here.left > 0) break;
  }
  await settle();
  return here.clock.nowMs() - beganMs;
}

describe("a client that sends a byte a minute", () => {
  it.each([
    ["its flags", 0],
    ["the header of an option", 4],
    ["the data of an option", 20],
    ["the last byte of an option", clientHello().length - 1],
  ])("in %s has ten seconds for its whole handshake", async (_name, from) => {
    const here = world();
    const served = here.serve();
    served.stream.say(clientHello().subarray(0, from));
    expect(await trickle(here, served, clientHello().subarray(from), MINUTE_MS)).toBe(LIMITS.handshakeMs);
    expect(here.log.of("warning")).toEqual([
      "client client: negotiation failed: no complete handshake within 10 s; hanging up",
    ]);
    await here.expectNothingHeld();
  });

  it("in a request's header is hung up on after 30 seconds", async () => {
    const here = world();
    expect(await trickle(here, await here.join(), WRITE, MINUTE_MS)).toBe(LIMITS.messageMs);
    expect(here.log.of("warning")).toEqual(TOO_SLOW);
    await here.expectNothingHeld();
  });

  it("in a payload is hung up on within the time for that payload, and gives back what it held", async () => {
    const here = world();
    const served = await here.join();
    served.stream.say(WRITE.subarray(0, 28));
    expect(here.budget.heldBytes).toBe(4096);
    const tookMs = await trickle(here, served, WRITE.subarray(28), MINUTE_MS);
    expect(tookMs).toBe(LIMITS.messageMs + 4096 / LIMITS.payloadBytesPerMs);
    expect(here.log.of("warning")).toEqual(TOO_SLOW);
    await here.expectNothingHeld();
  });

  it("in a payload that is refused is hung up on as well", async () => {
    const here = world();
    const served = await here.join();
    served.stream.say(requestBytes({ command: COMMAND.WRITE, offset: 2 ** 50, length: 4096 }));
    const tookMs = await trickle(here, served, Buffer.alloc(4096), MINUTE_MS);
    expect(tookMs).toBe(LIMITS.messageMs + 4096 / LIMITS.payloadBytesPerMs);
    await here.expectNothingHeld();
  });

  it("is hung up on although it sends a whole request now and then before it stops in one", async () => {
    const here = world();
    const served = await here.join();
    for (let turn = 0; turn < 10; turn += 1) {
      served.stream.say(WRITE);
      here.clock.advance(LIMITS.messageMs - 1);
      served.stream.say(WRITE.subarray(0, 10));
      here.clock.advance(LIMITS.messageMs - 1);
      served.stream.say(WRITE.subarray(10));
    }
    expect(here.left).toBe(0);
    served.stream.say(WRITE.subarray(0, 10));
    here.clock.advance(LIMITS.messageMs);
    expect(here.left).toBe(1);
    await here.expectNothingHeld();
  });

  it("does not hold up the others: its share of the budget is theirs again", async () => {
    const disk = new HeldDisk();
    const here = new SessionWorld(disk, new ByteBudget(5000, 100));
    const slow = await here.join();
    slow.stream.say(WRITE.subarray(0, 100));
    const other = await here.join();
    other.client.write(0, Buffer.alloc(4096));
    await settle();
    expect(disk.held).toHaveLength(0);
    here.clock.advance(LIMITS.messageMs + 4096 / LIMITS.payloadBytesPerMs);
    await settle();
    expect(disk.held).toHaveLength(1);
    disk.answerAll();
    await settle();
    expect(other.client.answers).toEqual([[1n, 0]]);
    other.stream.drop();
    await here.expectNothingHeld();
  });
});

describe("a client that is slow in a way that is legal", () => {
  it("may be idle between requests for as long as it likes", async () => {
    const here = new SessionWorld(new MemoryDisk({ sizeBytes: MIB }));
    const { client, stream } = await here.join();
    for (let day = 0; day < 3; day += 1) {
      client.read(0, 16);
      await settle();
      here.clock.advance(24 * 3_600_000);
    }
    expect([client.replies.length, here.left]).toEqual([3, 0]);
    stream.drop();
    await here.expectNothingHeld();
  });

  it("may take its time for 32 MiB as long as they come steadily, at little more than 1 Mbit/s", async () => {
    const disk = new HeldDisk({ sizeBytes: 64 * MIB });
    const here = world(disk);
    const { stream, client } = await here.join();
    const header = requestBytes({ command: COMMAND.WRITE, cookie: 9n, length: 32 * MIB });
    stream.say(header.subarray(0, 5));
    here.clock.advance(5000);
    stream.say(header.subarray(5));
    for (let sent = 0; sent < 32 * MIB; sent += MIB / 8) {
      here.clock.advance(MIB / 8 / (LIMITS.payloadBytesPerMs * 1.02));
      stream.say(Buffer.alloc(MIB / 8));
    }
    expect(here.left).toBe(0);
    disk.answerAll();
    await settle();
    expect(client.answers).toEqual([[9n, 0]]);
    stream.drop();
    await here.expectNothingHeld();
  });

  it("is not hurried while we don't read: the time in which its request waits for room is ours", async () => {
    const disk = new HeldDisk();
    const here = new SessionWorld(disk, new ByteBudget(1000, 100));
    const [first, second] = [await here.join(), await here.join()];
    first.client.read(0, 1000);
    second.client.read(500, 1000);
    await settle();
    here.clock.advance(3_600_000);
    expect(here.left).toBe(0);
    disk.answerAll();
    await settle();
    disk.answerAll();
    await settle();
    expect(second.client.replies).toHaveLength(1);
    for (const { stream } of [first, second]) stream.drop();
    await here.expectNothingHeld();
  });

  it("is not hurried while the server takes its time, or is away", async () => {
    const disk = new HeldDisk();
    const here = world(disk);
    const { client, stream } = await here.join();
    client.read(0, 1000);
    await settle();
    here.clock.advance(24 * 3_600_000);
    disk.answerAll(NBD_ERROR.EIO);
    await settle();
    expect(client.answers).toEqual([[1n, NBD_ERROR.EIO]]);
    stream.drop();
    await here.expectNothingHeld();
  });

  it("is not hurried behind its DISC, whatever stands there", async () => {
    const disk = new HeldDisk();
    const here = world(disk);
    const { client, stream } = await here.join();
    client.write(0, Buffer.from("last"));
    client.disconnect();
    stream.say(WRITE.subarray(0, 50));
    await settle();
    here.clock.advance(3_600_000);
    expect([here.left, here.log.of("warning")]).toEqual([0, []]);
    disk.answerAll();
    await settle();
    expect(client.answers).toEqual([[1n, 0]]);
    await here.expectNothingHeld();
  });
});
