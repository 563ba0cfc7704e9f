import { describe, expect, it } from "vitest";

import { LIMITS } from "../../../src/limits.ts";
import { NBD_ERROR } from "../../../src/protocol/constants.ts";
import { diskBytes } from "../support/held-disk.ts";
import { replyBytes } from "../support/naive-codec.ts";
import { settle } from "../support/settle.ts";
import { TestClient } from "../support/test-client.ts";
import { asking, expectAnsweredElsewhere } from "./asking.ts";
import { HostileWorld } from "./hostile-world.ts";

// Items 4, 5, 8, 9 and 11 of the checklist of malicious servers: what a server may say, or not say, in the transmission
// phase. No client gets an answer that it should not get, or two; what is unanswered is asked again, somewhere else.

const MIB = 1024 * 1024;

/** A server that never answered anything proves nothing against the only write: when one works, it is answered. */
async function expectNotTakenForPoison(world: HostileWorld): Promise<void> {
  const right = await world.nextServer();
  expect([world.witness.answers, right.heard]).toEqual([[], ["0@0+512"]]);
  await right.answer(0, 0, diskBytes(0, 512));
  expect(right.heard).toEqual(["0@0+512", "1@0+7"]);
  await right.answer(1);
  expect(world.witness.answers).toEqual([[1n, 0]]);
}

describe("a server that breaks the protocol of replies", () => {
  it.each<readonly [string, (cookies: { read: bigint; write: bigint }) => Buffer]>([
    ["a wrong magic", () => Buffer.alloc(16, 0x42)],
    ["the magic of a request", () => Buffer.from("25609513".padEnd(56, "0"), "hex")],
    ["a structured reply, which was not negotiated", () => Buffer.from("668e33ef".padEnd(40, "0"), "hex")],
    ["an extended reply", () => Buffer.from("6e8a278c".padEnd(64, "0"), "hex")],
    ["a cookie of nobody", () => replyBytes({ cookie: 4711n })],
    ["a cookie of all ones", () => replyBytes({ cookie: 0xffff_ffff_ffff_ffffn })],
    ["the slot of a request with another use", ({ read }) => replyBytes({ cookie: read + (1n << 32n) })],
    ["an error with a cookie of nobody", () => replyBytes({ cookie: 4711n, error: NBD_ERROR.EIO })],
  ])("is hung up on, and everything is asked elsewhere: %s", async (_name, say) => {
    const asked = await asking();
    asked.world.server.stream.say(say(asked.cookies));
    asked.world.server.stream.say(Buffer.alloc(100_000, 0x42));
    await settle();
    expect(asked.world.server.stream.destroyed).toBe(true);
    expect(asked.world.log.of("warning")).toHaveLength(1);
    expect(asked.world.log.of("warning")[0]).toMatch(/^server store:10809: connection lost: /);
    await expectAnsweredElsewhere(asked);
  });

  it("is hung up on for a second reply to the same request, which its client never sees", async () => {
    const { world, write, cookies } = await asking();
    const reply = replyBytes({ cookie: cookies.write });
    world.server.stream.say(Buffer.concat([reply, reply]));
    await settle();
    expect([world.server.stream.destroyed, world.witness.answers]).toEqual([true, [[write, 0]]]);
    const next = await world.nextServer();
    // The write was answered, but is not flushed: it is written again, and nobody is told twice.
    expect(next.heard).toEqual(["1@0+7"]);
    await next.answer(0);
    expect(next.heard).toEqual(["1@0+7", "0@512+8", "3@0+0"]);
    await next.answer(1, 0, diskBytes(512, 8));
    expect(world.witness.replies).toHaveLength(2);
    await world.expectServed();
  });

  it("is hung up on for data that is too long", async () => {
    const { world, read, cookies } = await asking();
    world.server.stream.say(replyBytes({ cookie: cookies.read, data: Buffer.alloc(64) }));
    await settle();
    expect([world.server.stream.destroyed, world.witness.answers]).toEqual([true, [[read, 0]]]);
    const next = await world.nextServer();
    await next.answer(0);
    await world.expectServed();
  });

  it("is hung up on for a reply to a request that it was not sent yet", async () => {
    const world = await HostileWorld.open();
    world.server.stream.takeOnly(10);
    world.witness.write(0, Buffer.alloc(100));
    await settle();
    // This one gathers behind the first; its cookie can be guessed.
    const late = world.witness.write(4096, Buffer.from("not sent yet"));
    await settle();
    world.server.stream.say(replyBytes({ cookie: (1n << 32n) | 1n }));
    await settle();
    expect(world.server.stream.destroyed).toBe(true);
    expect(world.log.of("warning")[0]).toContain("a reply to a request that was not sent yet");
    const next = await world.nextServer();
    expect(next.heard).toEqual(["1@0+100", "1@4096+12"]);
    await next.answer(0);
    await next.answer(1);
    expect(world.witness.answers.filter(([cookie]) => cookie === late)).toEqual([[late, 0]]);
  });

  it("is not believed about the requests of an earlier connection", async () => {
    const { world, cookies } = await asking();
    await world.server.answer(1);
    await world.server.drop();
    const next = await world.nextServer();
    expect(next.heard).toEqual(["1@0+7"]);
    // Not under this cookie: what is written again is the proxy's own.
    expect(next.requests[0]?.cookie).not.toBe(cookies.write);
    next.stream.say(replyBytes({ cookie: cookies.write }));
    await settle();
    expect([next.stream.destroyed, world.witness.replies.length]).toEqual([true, 1]);
    const last = await world.nextServer();
    await last.answer(0);
    await last.answer(1, 0, diskBytes(512, 8));
    expect(world.witness.replies.at(-1)?.data).toEqual(diskBytes(512, 8));
  });

  it("is not believed by a connection that takes its place: late words of the old one are no answer", async () => {
    const { world, read, cookies } = await asking();
    const old = world.server.stream;
    world.clock.advance(30_000);
    const candidate = await world.nextServer();
    world.clock.advance(LIMITS.patienceMs);
    await settle();
    await candidate.answer(0);
    expect(candidate.heard).toEqual(["1@0+7", "0@512+8", "3@0+0"]);
    old.say(replyBytes({ cookie: cookies.read, data: Buffer.from("outdated") }));
    await settle();
    expect([old.destroyed, candidate.stream.destroyed]).toEqual([true, false]);
    await candidate.answer(1, 0, diskBytes(512, 8));
    expect(world.witness.replies.filter(({ cookie }) => cookie === read).map(({ data }) => data)).toEqual([
      diskBytes(512, 8),
    ]);
  });

  it("gets no byte of a half reply through to a client", async () => {
    const asked = await asking();
    asked.world.server.stream.say(
      replyBytes({ cookie: asked.cookies.read, data: Buffer.alloc(8, 0xee) }).subarray(0, -1),
    );
    await asked.world.server.drop();
    await expectAnsweredElsewhere(asked);
  });
});

describe("a server that answers with errors", () => {
  it.each([
    [NBD_ERROR.EPERM, NBD_ERROR.EPERM],
    [NBD_ERROR.EIO, NBD_ERROR.EIO],
    [NBD_ERROR.ENOSPC, NBD_ERROR.ENOSPC],
    [NBD_ERROR.EOVERFLOW, NBD_ERROR.EOVERFLOW],
    [2, NBD_ERROR.EINVAL],
    [0x7fff_ffff, NBD_ERROR.EINVAL],
    [0xffff_ffff, NBD_ERROR.EINVAL],
  ])("has error %i passed on as %i, and stays connected", async (said, heard) => {
    const { world, read } = await asking();
    await world.server.answer(0, said);
    expect(world.witness.answers).toEqual([[read, heard]]);
    expect([world.network.dials.length, world.server.stream.destroyed]).toEqual([1, false]);
  });

  it("of ESHUTDOWN, for ever, is tried again with a growing distance, and no client hears of it", async () => {
    const world = await HostileWorld.open();
    world.witness.write(0, Buffer.from("patient"));
    await settle();
    await world.server.answer(0, NBD_ERROR.ESHUTDOWN);
    const gapsMs: number[] = [];
    for (let turn = 0; turn < 25; turn += 1) {
      const beforeMs = world.clock.nowMs();
      const server = await world.nextServer();
      gapsMs.push(world.clock.nowMs() - beforeMs);
      world.clock.advance(5000);
      await server.answer(0, NBD_ERROR.ESHUTDOWN);
      expect(server.stream.finished).toBe(true);
    }
    expect(gapsMs.slice(0, 10)).toEqual([0, 100, 100, 100, 100, 100, 100, 100, 100, 100]);
    expect(gapsMs.slice(-8)).toEqual(Array.from({ length: 8 }, () => 5000));
    expect(world.witness.replies).toEqual([]);
    await expectNotTakenForPoison(world);
  });
});

describe("a server at another pace", () => {
  it("may answer faster than its client reads: what waits stays within limits, and others are served", async () => {
    const world = await HostileWorld.open({}, { sizeBytes: 64 * MIB });
    const slow = await new TestClient(world.network.client("slow")).join();
    slow.stream.takeOnly(0);
    for (let count = 0; count < 40; count += 1) slow.read(count * MIB, MIB);
    await settle();
    for (let index = 0; index < world.server.requests.length; index += 1) {
      await world.server.answer(index, 0, Buffer.alloc(MIB, index));
    }
    expect(slow.stream.backlogBytes).toBeLessThanOrEqual(41 * (MIB + 16));
    await world.expectUnharmed();
    slow.stream.take();
    await settle();
    expect(slow.replies).toHaveLength(40);
    expect(slow.replies.every(({ data }, index) => data.equals(Buffer.alloc(MIB, index)))).toBe(true);
  });

  it("may stop reading: what it does not take waits, within the budget of its clients", async () => {
    const world = await HostileWorld.open({}, { sizeBytes: 1024 * MIB });
    world.server.stream.takeOnly(100);
    for (let count = 0; count < 5; count += 1) world.witness.write(count * 16 * MIB, Buffer.alloc(16 * MIB));
    await settle();
    expect(world.witness.stream.paused).toBe(true);
    expect(world.server.stream.backlogBytes).toBeLessThanOrEqual(LIMITS.clientBytes + 4 * 28);
    world.server.stream.take();
    await settle();
    // What the proxy asks for itself is among them.
    for (let index = 0; index < world.server.requests.length; index += 1) {
      await world.server.answer(index);
      world.server.stream.take();
      await settle();
    }
    expect(world.witness.answers.map(([, error]) => error)).toEqual(Array.from({ length: 5 }, () => 0));
  });

  it("that stops reading and says nothing more is given up with a reset, and everything is asked elsewhere", async () => {
    const world = await HostileWorld.open({}, { sizeBytes: 1024 * MIB });
    const frozen = world.server.stream;
    frozen.takeOnly(100);
    world.witness.write(4 * MIB, Buffer.alloc(MIB, 7));
    await settle();
    world.clock.advance(30_000);
    const candidate = await world.nextServer({ sizeBytes: 1024 * MIB });
    world.clock.advance(LIMITS.patienceMs);
    await settle();
    expect([frozen.wasReset, frozen.destroyed]).toEqual([true, true]);
    expect(candidate.requests.map(({ payload }) => payload.equals(Buffer.alloc(MIB, 7)))).toEqual([true]);
    await candidate.answer(0);
    await world.expectServed();
  });

  it("that takes connections and is silent on each does not make the proxy spin, nor its clients wait for nothing", async () => {
    const world = await HostileWorld.open();
    const cookie = world.witness.write(0, Buffer.from("patient"));
    await settle();
    const dialsBefore = world.network.dials.length;
    world.network.onDial = (dial) => void dial.connect();
    for (let second = 0; second < 180; second += 1) {
      world.clock.advance(1000);
      await settle();
    }
    expect(world.network.dials.length - dialsBefore).toBeLessThanOrEqual(16);
    expect(world.witness.replies).toEqual([]);
    world.network.onDial = undefined;
    const next = await world.nextServer();
    await next.answer(0);
    expect(world.witness.answers).toEqual([[cookie, 0]]);
  });

  it("that closes after every handshake is dialled ever more slowly: a connection alone ends no outage", async () => {
    const world = await HostileWorld.open();
    world.witness.write(0, Buffer.from("patient"));
    await settle();
    await world.server.drop();
    const gapsMs: number[] = [];
    for (let turn = 0; turn < 25; turn += 1) {
      const beforeMs = world.clock.nowMs();
      const server = await world.nextServer();
      gapsMs.push(world.clock.nowMs() - beforeMs);
      world.clock.advance(5000);
      server.stream.sayEnd();
      await settle();
    }
    expect(gapsMs.slice(0, 10)).toEqual([0, 100, 100, 100, 100, 100, 100, 100, 100, 100]);
    expect(gapsMs.slice(-8)).toEqual(Array.from({ length: 8 }, () => 5000));
    await expectNotTakenForPoison(world);
  });

  it("that answers one new request on each connection gets them all answered, at its pace", async () => {
    const world = await HostileWorld.open();
    for (let count = 0; count < 20; count += 1) world.witness.write(8192 + count * 512, Buffer.alloc(512, count));
    await settle();
    for (let count = 0; count < 20; count += 1) {
      await world.server.answer(count === 0 ? 0 : 1);
      await world.server.drop();
      await world.nextServer();
      // What was answered before is written again first; neighbours go together.
      expect(world.server.heard).toEqual([`1@8192+${(count + 1) * 512}`]);
      await world.server.answer(0);
    }
    expect(world.witness.answers.map(([, error]) => error)).toEqual(Array.from({ length: 20 }, () => 0));
    await world.expectServed();
  });

  it("that speaks before it is asked is no server to go on with", async () => {
    const world = await HostileWorld.open();
    world.server.stream.say(replyBytes({ cookie: 1n }));
    await settle();
    expect(world.server.stream.destroyed).toBe(true);
    await world.nextServer();
    await world.expectServed();
  });
});
