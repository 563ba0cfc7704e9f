import { describe, expect, it } from "vitest";

import { PROTECTION_DEFAULTS } from "../../../src/config/protection-config.ts";
import type { Disk } from "../../../src/disk.ts";
import { MemoryDisk } from "../../../src/disks/memory-disk.ts";
import { Listener } from "../../../src/downstream/listener.ts";
import { LIMITS } from "../../../src/limits.ts";
import { SingleExport } from "../../../src/proxy/single-export.ts";
import { exportMemory } from "../../../src/proxy/surroundings.ts";
import { ResilientDisk } from "../../../src/upstream/resilient-disk.ts";
import { fakeSurroundings } from "../support/fake-surroundings.ts";
import type { FakeStream } from "../support/fake-stream.ts";
import { HeldDisk } from "../support/held-disk.ts";
import { requestBytes } from "../support/naive-codec.ts";
import { clientHello } from "../support/negotiation.ts";
import { settle } from "../support/settle.ts";
import { TestClient } from "../support/test-client.ts";
import { serve } from "../upstream/served-upstream.ts";
import { HostileWorld } from "./hostile-world.ts";

// Items 11 to 14 of the checklist of malicious clients: many of them, much of it, never ending, gone again.

const KIB = 1024;
const MIB = 1024 * KIB;
const SESSION = Buffer.concat([
  clientHello(),
  requestBytes({ command: 1, cookie: 1n, payload: Buffer.alloc(600, 1) }),
  requestBytes({ cookie: 2n, length: 512 }),
]);

/** A listener with its memory in sight. */
async function listening(disk: Disk, maxClients = 8) {
  const around = fakeSurroundings();
  const memory = exportMemory();
  const listener = new Listener({
    ...around,
    ...memory,
    greetingStyle: "newstyle",
    admits: () => true,
    exports: new SingleExport("", disk),
    endpoint: { kind: "tcp", host: "127.0.0.1", port: 0 },
    socketMode: 0o600,
    maxClients,
  });
  await listener.open();
  const expectNothingHeld = async (): Promise<void> => {
    await settle();
    around.clock.advance(LIMITS.farewellMs);
    await settle();
    const { budget, pool } = memory;
    expect([listener.clients, listener.waitingClients, around.clock.pending]).toEqual([0, 0, 0]);
    expect([budget.heldBytes, budget.heldRequests, pool.heldBytes]).toEqual([0, 0, 0]);
  };
  return { ...around, ...memory, listener, expectNothingHeld };
}

describe("a client that never reads its replies", () => {
  it("has its thousands of requests left unread, and the others are served", async () => {
    const { network, budget, expectNothingHeld } = await listening(new MemoryDisk({ sizeBytes: 64 * MIB }));
    const deaf = await new TestClient(network.client("deaf")).join();
    deaf.stream.takeOnly(0);
    for (let count = 0; count < 5000; count += 1) deaf.read(0, 64 * KIB);
    await settle();
    expect(deaf.stream.paused).toBe(true);
    expect(deaf.stream.unreadBytes).toBeGreaterThan(4000 * 28);
    expect(budget.heldBytes).toBeLessThanOrEqual(LIMITS.clientBacklogBytes + LIMITS.clientBytes);
    const witness = await new TestClient(network.client("witness")).join();
    for (let count = 0; count < 20; count += 1) {
      witness.read(count, MIB);
      await settle();
    }
    expect(witness.replies).toHaveLength(20);
    for (const { stream } of [deaf, witness]) stream.drop();
    await expectNothingHeld();
  });
});

describe("thousands of connections", () => {
  it("come and go at any byte, by FIN or RST, and leave nothing behind", async () => {
    const { network, log, expectNothingHeld } = await listening(new MemoryDisk({ sizeBytes: MIB }));
    for (let count = 0; count < 3000; count += 1) {
      const stream = network.client();
      stream.say(SESSION.subarray(0, (count * 7) % (SESSION.length + 1)));
      if (count % 3 === 0) await settle();
      if (count % 2 === 0) stream.sayEnd();
      else stream.drop(new Error("read ECONNRESET"));
      if (count % 5 === 0) await settle();
    }
    const witness = network.client("witness");
    await settle();
    await new TestClient(witness).join();
    expect(log.of("warning")).toEqual([]);
    witness.drop();
    await expectNothingHeld();
  });

  it("at once are served, wait, or are hung up on, and the next one in line has its turn", async () => {
    const { network, listener, expectNothingHeld } = await listening(new MemoryDisk({ sizeBytes: MIB }), 4);
    const streams = Array.from({ length: 3000 }, () => network.client());
    expect([listener.clients, listener.waitingClients]).toEqual([4, LIMITS.waitingClients]);
    expect(streams.filter(({ destroyed }) => destroyed)).toHaveLength(3000 - 4 - LIMITS.waitingClients);
    streams[0]?.drop();
    await settle();
    await new TestClient(streams[4] as FakeStream).join();
    for (const stream of streams) stream.drop();
    await expectNothingHeld();
  });

  it("that are half-open give their places back after ten seconds", async () => {
    const { network, listener, clock, expectNothingHeld } = await listening(new MemoryDisk({ sizeBytes: MIB }), 4);
    const streams = Array.from({ length: 12 }, () => network.client());
    for (let round = 0; round < 3; round += 1) {
      expect(listener.clients).toBe(4);
      clock.advance(LIMITS.handshakeMs);
      await settle();
    }
    expect(listener.clients + listener.waitingClients).toBe(0);
    for (const stream of streams) stream.drop();
    await expectNothingHeld();
  });

  it.each(["sayEnd", "drop"] as const)(
    "that leave by %s with requests outstanding are not waited for",
    async (leave) => {
      const disk = new HeldDisk();
      disk.dropsOnClose = false;
      const { network, listener, expectNothingHeld } = await listening(disk);
      for (let count = 0; count < 200; count += 1) {
        const client = await new TestClient(network.client()).join();
        client.read(0, 512);
        client.write(4096, Buffer.alloc(512));
        await settle();
        client.stream[leave]();
        await settle();
        expect(listener.clients).toBe(0);
      }
      disk.answerAll();
      await expectNothingHeld();
    },
  );
});

describe("clients that ask for everything they can during an outage", () => {
  it("are held within the budget, READs as well, and all of them are answered afterwards", async () => {
    const around = fakeSurroundings();
    const memory = exportMemory();
    const upstream = new ResilientDisk({
      ...around,
      ...PROTECTION_DEFAULTS,
      ...memory,
      paths: [{ endpoint: { kind: "tcp", host: "store", port: 1 }, bindAddress: undefined, exportName: "" }],
      holdTimeoutMs: undefined,
      upstreamTimeoutMs: 30_000,
      idlePingMs: undefined,
      reconnectIntervalMaxMs: 5000,
    });
    const opened = upstream.open();
    const server = await serve(around.network, { sizeBytes: 2 ** 30 });
    await opened;
    await server.drop();
    const near = await listening(upstream, 8);
    const clients = await Promise.all(
      Array.from({ length: 8 }, (_, index) => new TestClient(near.network.client(`${index}`)).join()),
    );
    for (const client of clients) for (let count = 0; count < 50; count += 1) client.read(count * 512, 32 * MIB);
    await settle();
    expect(near.budget.heldBytes).toBe(LIMITS.budgetBytes);
    expect(clients.every(({ stream }) => stream.paused)).toBe(true);
    // Nothing is allocated for what is only promised.
    expect(near.pool.heldBytes + memory.pool.heldBytes).toBeLessThanOrEqual(10 * LIMITS.slabBytes);
    around.clock.advance(100);
    const next = await serve(around.network, { sizeBytes: 2 ** 30 });
    for (let index = 0; index < 8 * 50; index += 1) await next.answer(index, 5);
    expect(clients.map(({ replies }) => replies.length)).toEqual(clients.map(() => 50));
    for (const { stream } of clients) stream.drop();
    await near.expectNothingHeld();
  });

  it("hold the others up no longer than their payload may take, when it only trickles in", async () => {
    const disk = new HeldDisk({ sizeBytes: 2 ** 30 });
    const { network, clock, budget, log, expectNothingHeld } = await listening(disk);
    const slow = await Promise.all(["a", "b", "c", "d"].map((name) => new TestClient(network.client(name)).join()));
    for (const { stream } of slow) stream.say(requestBytes({ command: 1, length: 32 * MIB }));
    const witness = await new TestClient(network.client("witness")).join();
    witness.read(0, 512);
    await settle();
    expect([budget.heldBytes, disk.held.length]).toEqual([128 * MIB, 0]);
    for (let minute = 0; minute < 5; minute += 1) {
      for (const { stream } of slow) stream.say(Buffer.alloc(1));
      clock.advance(60_000);
    }
    await settle();
    expect(log.of("warning")).toEqual(
      ["a", "b", "c", "d"].map((name) => `client ${name}: a request was begun and did not go on; hanging up`),
    );
    expect(disk.held).toHaveLength(1);
    disk.answerAll();
    for (const { stream } of [...slow, witness]) stream.drop();
    await expectNothingHeld();
  });

  it("cannot keep each other from the server when they leave in the middle of it", async () => {
    const world = await HostileWorld.open();
    for (let round = 0; round < 20; round += 1) {
      const stream = await world.attacker();
      stream.say(SESSION);
      await settle();
      stream.drop();
      await settle();
    }
    for (const index of world.server.requests.keys()) await world.server.answer(index, 5);
    await world.expectUnharmed();
  });
});
