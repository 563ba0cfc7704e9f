import { describe, expect, it } from "vitest";

import type { Disk } from "../../../src/disk.ts";
import { MemoryDisk } from "../../../src/disks/memory-disk.ts";
import { Listener } from "../../../src/downstream/listener.ts";
import { LIMITS } from "../../../src/limits.ts";
import { SingleExport } from "../../../src/proxy/single-export.ts";
import { ByteBudget } from "../../../src/transport/byte-budget.ts";
import { SlabPool } from "../../../src/transport/slab-pool.ts";
import { FakeNetwork } from "../support/fake-network.ts";
import { FakeStream } from "../support/fake-stream.ts";
import { HeldDisk } from "../support/held-disk.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { clientHello } from "../support/negotiation.ts";
import { RecordingLog } from "../support/recording-log.ts";
import { settle } from "../support/settle.ts";
import { TestClient } from "../support/test-client.ts";

async function setUp(
  maxClients = 1,
  disk: Disk = new MemoryDisk({ sizeBytes: 1024 * 1024 }),
  admits: (address: string | undefined) => boolean = () => true,
) {
  const network = new FakeNetwork();
  const clock = new ManualClock();
  const log = new RecordingLog();
  const pool = new SlabPool({ slabBytes: LIMITS.slabBytes, idleSlabs: 4, poison: true });
  const budget = new ByteBudget(LIMITS.budgetBytes, LIMITS.budgetRequests);
  const listener = new Listener({
    network,
    clock,
    log,
    pool,
    budget,
    greetingStyle: "auto",
    admits,
    exports: new SingleExport("", disk),
    endpoint: { kind: "tcp", host: "127.0.0.1", port: 0 },
    socketMode: 0o640,
    maxClients,
  });
  const endpoint = await listener.open();
  const expectNothingHeld = (): void => {
    clock.advance(LIMITS.farewellMs);
    expect([listener.clients, listener.waitingClients]).toEqual([0, 0]);
    expect([budget.heldBytes, budget.heldRequests, pool.heldBytes, clock.pending]).toEqual([0, 0, 0, 0]);
  };
  return { network, clock, log, listener, endpoint, expectNothingHeld };
}

/** Whether a client was greeted. */
function greeted(stream: FakeStream): boolean {
  return stream.heard.toString("latin1", 0, 8) === "NBDMAGIC";
}

/** A promise with its state to be seen. */
function watch(promise: Promise<unknown>): { done: boolean } {
  const seen = { done: false };
  void promise.then(() => (seen.done = true));
  return seen;
}

describe("Listener", () => {
  it("listens where it was told, and says where that really is", async () => {
    const { network, endpoint } = await setUp();
    expect(network.listening).toEqual({ endpoint: { kind: "tcp", host: "127.0.0.1", port: 0 }, socketMode: 0o640 });
    expect(endpoint).toEqual({ kind: "tcp", host: "127.0.0.1", port: 4711 });
  });

  it("serves as many clients as allowed, and lets the others wait without a hello, in order", async () => {
    const { network, listener, expectNothingHeld } = await setUp(2);
    const streams = ["a", "b", "c", "d"].map((name) => network.client(name));
    await settle();
    expect(streams.map(greeted)).toEqual([true, true, false, false]);
    expect([listener.clients, listener.waitingClients]).toEqual([2, 2]);
    streams[1]?.drop();
    await settle();
    expect(streams.map(greeted)).toEqual([true, true, true, false]);
    streams[0]?.drop();
    await settle();
    expect(streams.map(greeted)).toEqual([true, true, true, true]);
    for (const stream of streams) stream.drop();
    await settle();
    expectNothingHeld();
  });

  it("goes on serving the others when one of several leaves, breaks the protocol, or vanishes", async () => {
    const { network, listener, expectNothingHeld } = await setUp(4);
    const clients = await Promise.all(["a", "b", "c", "d"].map((name) => new TestClient(network.client(name)).join()));
    const [first, second, third, last] = clients as [TestClient, TestClient, TestClient, TestClient];
    first.disconnect();
    second.stream.say(Buffer.alloc(100, 0x41));
    third.stream.drop(new Error("reset"));
    last.write(0, Buffer.from("still here"));
    last.read(0, 10);
    await settle();
    expect(last.replies.map(({ data }) => String(data))).toEqual(["", "still here"]);
    expect(listener.clients).toBe(1);
    for (const { stream } of clients) stream.drop();
    await settle();
    expectNothingHeld();
  });

  it("hangs up, with a line in the log, on clients that come from where nobody may come from", async () => {
    const { network, listener, log, expectNothingHeld } = await setUp(
      1,
      undefined,
      (address) => address === "192.0.2.7",
    );
    const friend = new FakeStream("friend");
    friend.peerAddress = "192.0.2.7";
    const stranger = network.client("stranger");
    expect([stranger.destroyed, stranger.started, listener.clients]).toEqual([true, false, 0]);
    expect(log.of("warning")).toEqual(["client stranger: not allowed from there; hanging up"]);
    await new TestClient(network.client("friend", friend)).join();
    expect(listener.clients).toBe(1);
    // Nor may they wait for a place.
    expect(network.client("another stranger").destroyed).toBe(true);
    expect(listener.waitingClients).toBe(0);
    friend.drop();
    await settle();
    expectNothingHeld();
  });

  it("asks for the address, which clients of a UNIX socket don't have", async () => {
    const asked: (string | undefined)[] = [];
    const { network } = await setUp(2, undefined, (address) => {
      asked.push(address);
      return true;
    });
    const local = new FakeStream("local");
    local.peerAddress = undefined;
    network.client("remote");
    network.client("local", local);
    expect(asked).toEqual(["192.0.2.1", undefined]);
  });

  it("gives a client's place away as soon as it said DISC and was answered", async () => {
    const { network, listener } = await setUp();
    const first = await new TestClient(network.client("first")).join();
    const second = network.client("second");
    first.disconnect();
    await settle();
    expect([greeted(second), listener.clients]).toEqual([true, 1]);
    expect(first.stream.destroyed).toBe(false);
  });

  it("passes over one that left while it waited", async () => {
    const { network, listener } = await setUp();
    const [first, second, third] = ["1", "2", "3"].map((name) => network.client(name));
    second?.sayEnd();
    await settle();
    expect([listener.waitingClients, second?.closed]).toEqual([1, true]);
    first?.drop();
    await settle();
    expect(third !== undefined && greeted(third)).toBe(true);
    expect(listener.waitingClients).toBe(0);
  });

  it("serves a client that spoke while it waited, with what it said", async () => {
    const { network } = await setUp();
    const first = network.client("first");
    const second = network.client("second");
    second.say(clientHello().subarray(0, 10));
    first.drop();
    await settle();
    expect(greeted(second)).toBe(true);
    second.say(clientHello().subarray(10));
    await settle();
    const client = new TestClient(second);
    client.read(0, 5);
    await settle();
    expect(client.replies).toEqual([{ error: 0, cookie: 1n, data: Buffer.alloc(5) }]);
  });

  it("goes on to the next when one that waited said garbage", async () => {
    const { network, log } = await setUp();
    const streams = Array.from({ length: 60 }, (_, index) => network.client(`client ${index}`));
    for (const stream of streams.slice(1, -1)) stream.say(Buffer.from("GET / HTTP/1.1\r\n\r\n"));
    const first = await new TestClient(streams[0] as FakeStream).join();
    first.disconnect();
    await settle();
    expect(log.of("warning")).toHaveLength(58);
    expect(greeted(streams.at(-1) as FakeStream)).toBe(true);
  });

  it("lets 128 wait and hangs up on more, with a line in the log", async () => {
    const { network, listener, log } = await setUp();
    const streams = Array.from({ length: 1 + LIMITS.waitingClients }, () => network.client());
    expect([listener.waitingClients, log.of("warning")]).toEqual([LIMITS.waitingClients, []]);
    const tooMany = network.client("one too many");
    expect(tooMany.destroyed).toBe(true);
    expect(log.of("warning")).toEqual(["client one too many: 128 others are waiting already; hanging up"]);
    streams[5]?.drop();
    await settle();
    expect(network.client("in time").destroyed).toBe(false);
  });
});

describe("Listener.drain", () => {
  it("resolves at once when nobody is there, and accepts nobody after it began", async () => {
    const { network, listener, expectNothingHeld } = await setUp();
    const drained = listener.drain();
    expect(network.client("late").destroyed).toBe(true);
    await drained;
    expect(network.listening).toBeUndefined();
    expectNothingHeld();
  });

  it("hangs up on those that wait, and serves none of them", async () => {
    const { network, listener, clock, expectNothingHeld } = await setUp();
    const first = network.client("first");
    const second = network.client("second");
    await listener.drain();
    await settle();
    expect([second.closed, greeted(second), first.finished]).toEqual([true, false, true]);
    clock.advance(LIMITS.farewellMs);
    await settle();
    expectNothingHeld();
  });

  it("waits for the answers that are due", async () => {
    const disk = new HeldDisk();
    const { network, listener, clock, expectNothingHeld } = await setUp(2, disk);
    const [one, other] = await Promise.all([1, 2].map((name) => new TestClient(network.client(`${name}`)).join()));
    one?.read(0, 4);
    other?.write(0, Buffer.from("last"));
    const drained = watch(listener.drain());
    await settle();
    disk.answer(disk.held[0]);
    await settle();
    expect(drained.done).toBe(false);
    disk.answer(disk.held[0]);
    await settle();
    expect(drained.done).toBe(true);
    expect([one?.replies.length, other?.replies.length]).toEqual([1, 1]);
    clock.advance(LIMITS.farewellMs);
    await settle();
    expectNothingHeld();
  });

  it("can be hurried", async () => {
    const disk = new HeldDisk();
    const { network, listener, expectNothingHeld } = await setUp(1, disk);
    const client = await new TestClient(network.client()).join();
    client.read(0, 4);
    const drained = watch(listener.drain());
    await settle();
    expect(drained.done).toBe(false);
    listener.abort();
    await settle();
    expect([drained.done, client.stream.destroyed]).toEqual([true, true]);
    disk.answerAll();
    expectNothingHeld();
  });
});
