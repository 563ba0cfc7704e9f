import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { MemoryDisk } from "../../../src/disks/memory-disk.ts";
import { LIMITS } from "../../../src/limits.ts";
import {
  BASE_ALLOCATION,
  COMMAND,
  COMMAND_FLAG,
  NBD_ERROR,
  TRANSMISSION_FLAG,
} from "../../../src/protocol/constants.ts";
import { ByteBudget } from "../../../src/transport/byte-budget.ts";
import { FakeStream } from "../support/fake-stream.ts";
import { diskBytes, HeldDisk } from "../support/held-disk.ts";
import { ALL_FLAGS } from "../support/negotiation.ts";
import { settle } from "../support/settle.ts";
import { StructuredClient } from "../support/structured-client.ts";
import { TestClient } from "../support/test-client.ts";
import { PiecesDisk, type PieceShape } from "./pieces-disk.ts";
import { SessionWorld } from "./served-client.ts";

const KIB = 1024;
const MIB = 1024 * KIB;
const PAGE = 64 * KIB;

/** A client of structured replies that selected these contexts. */
async function join(world: SessionWorld, contexts: readonly string[] = [], stream = new FakeStream("client")) {
  world.serve(Buffer.alloc(0), stream);
  const client = await new StructuredClient(stream, contexts).join();
  return { client, stream };
}

describe("ClientSession, with a client of structured replies", () => {
  it("serves it from hello to good-bye, holes, block status and all", async () => {
    const world = new SessionWorld(new MemoryDisk({ sizeBytes: MIB }));
    const { client, stream } = await join(world, [BASE_ALLOCATION]);
    client.write(PAGE, Buffer.from("some bytes"));
    client.read(PAGE - 4, 20);
    client.read(PAGE - 4, 20, COMMAND_FLAG.DF);
    client.read(0, 0);
    client.read(MIB, 1);
    client.blockStatus(0, MIB);
    client.blockStatus(PAGE, 3 * PAGE, COMMAND_FLAG.REQ_ONE);
    client.ask({ command: COMMAND.FLUSH });
    client.ask({ command: COMMAND.TRIM, offset: MIB, length: 1 });
    await settle();
    const read = Buffer.from("\0\0\0\0some bytes\0\0\0\0\0\0");
    expect(client.replies.map(({ error, chunks }) => [error, chunks])).toEqual([
      [0, ["simple"]],
      [0, [`hole 4@${PAGE - 4}`, `data 16@${PAGE}`]],
      [0, [`data 20@${PAGE - 4}`]],
      [0, ["none"]],
      [NBD_ERROR.EINVAL, ["error"]],
      [0, ["status 1"]],
      [0, ["status 1"]],
      [0, ["simple"]],
      [NBD_ERROR.EINVAL, ["simple"]],
    ]);
    expect(client.replies.slice(1, 3).map(({ data }) => data)).toEqual([read, read]);
    expect([...(client.replies[5]?.statuses.values() ?? [])]).toEqual([
      [
        [PAGE, 3],
        [PAGE, 0],
        [14 * PAGE, 3],
      ],
    ]);
    expect([...(client.replies[6]?.statuses.values() ?? [])]).toEqual([[[PAGE, 0]]]);
    client.disconnect();
    await settle();
    expect(stream.finished).toBe(true);
    stream.sayEnd();
    await world.expectNothingHeld();
  });

  it("understands it byte by byte", async () => {
    const world = new SessionWorld(new MemoryDisk({ sizeBytes: MIB }));
    const stream = new FakeStream();
    stream.readBytes = 1;
    const { client } = await join(world, [BASE_ALLOCATION], stream);
    client.blockStatus(5, 5);
    client.read(5, 5, COMMAND_FLAG.DF);
    await settle();
    expect(client.replies.map(({ chunks }) => chunks)).toEqual([["status 1"], ["hole 5@5"]]);
    stream.drop();
    await world.expectNothingHeld();
  });

  it("gives the disk the contexts that the client relies on, and the request as it is", async () => {
    const disk = new HeldDisk({
      contexts: [BASE_ALLOCATION, "qemu:dirty"],
      flags: ALL_FLAGS | TRANSMISSION_FLAG.SEND_DF,
    });
    const world = new SessionWorld(disk);
    const { client, stream } = await join(world, ["qemu:dirty"]);
    expect(disk.users.map(({ contexts }) => contexts)).toEqual([["qemu:dirty"]]);
    client.blockStatus(512, 1024, COMMAND_FLAG.REQ_ONE | COMMAND_FLAG.FUA);
    client.read(0, 512);
    await settle();
    expect(disk.held).toMatchObject([
      {
        command: COMMAND.BLOCK_STATUS,
        flags: COMMAND_FLAG.REQ_ONE | COMMAND_FLAG.FUA,
        offset: 512,
        length: 1024,
        payload: [],
      },
      { command: COMMAND.READ, flags: 0 },
    ]);
    expect(disk.held[0]?.room?.headroomBytes).toBe(28);
    disk.held.shift()?.complete({
      error: 0,
      pieces: [],
      room: undefined,
      statuses: [
        { context: BASE_ALLOCATION, extents: Uint32Array.of(1024, 0) },
        { context: "qemu:dirty", extents: Uint32Array.of(1024, 1) },
      ],
    });
    await settle();
    expect(client.replies[0]?.statuses).toEqual(new Map([[1, [[1024, 1]]]]));
    stream.drop();
    await world.expectNothingHeld();
  });

  it("says what the server said of an error, and that a context is gone", async () => {
    const disk = new HeldDisk({ contexts: [BASE_ALLOCATION] });
    const world = new SessionWorld(disk);
    const { client, stream } = await join(world, [BASE_ALLOCATION]);
    client.read(0, 512);
    client.write(0, Buffer.alloc(512));
    client.blockStatus(0, 512);
    await settle();
    const [read, written, status] = disk.held.splice(0);
    const failed = { pieces: [], room: undefined };
    read?.complete({ ...failed, error: NBD_ERROR.EIO, detail: { text: "bad", offset: 100 } });
    written?.complete({ ...failed, error: NBD_ERROR.ENOSPC, detail: { text: "full", offset: 600 } });
    status?.complete({ ...failed, error: 0, statuses: [] });
    await settle();
    expect(client.replies).toMatchObject([
      { error: NBD_ERROR.EIO, text: "bad", errorOffset: 100 },
      { error: NBD_ERROR.ENOSPC, text: "full", errorOffset: undefined },
      { error: NBD_ERROR.EINVAL, text: "the server does not tell about base:allocation any more" },
    ]);
    stream.drop();
    await world.expectNothingHeld();
  });
});

describe("ClientSession, with clients that ask for what they did not agree on", () => {
  it.each<readonly [string, readonly string[], Parameters<StructuredClient["ask"]>[0]]>([
    ["BLOCK_STATUS without contexts", [], { command: COMMAND.BLOCK_STATUS, length: 512 }],
    ["BLOCK_STATUS of nothing", [BASE_ALLOCATION], { command: COMMAND.BLOCK_STATUS, length: 0 }],
    ["BLOCK_STATUS beyond the end", [BASE_ALLOCATION], { command: COMMAND.BLOCK_STATUS, length: 0xffff_ffff }],
    ["REQ_ONE on a READ", [BASE_ALLOCATION], { flags: COMMAND_FLAG.REQ_ONE, length: 512 }],
    ["unknown flags on a READ", [], { flags: 0x8000, length: 512 }],
    ["extended payload flags on BLOCK_STATUS", [BASE_ALLOCATION], { command: 7, flags: 0x20, length: 512 }],
    ["an unknown command", [BASE_ALLOCATION], { command: 99, length: 0xffff_ffff }],
  ])("refuses %s, in step", async (_name, contexts, asked) => {
    const disk = new HeldDisk({ contexts: [BASE_ALLOCATION] });
    const world = new SessionWorld(disk);
    const { client, stream } = await join(world, contexts);
    client.ask(asked);
    client.ask({ command: 98 });
    await settle();
    expect(client.replies.map(({ error }) => error)).toEqual([NBD_ERROR.EINVAL, NBD_ERROR.EINVAL]);
    expect(disk.held).toEqual([]);
    stream.drop();
    await world.expectNothingHeld();
  });

  it("refuses DF and BLOCK_STATUS of a client of simple replies, but asks for one chunk by itself", async () => {
    const disk = new HeldDisk({ contexts: [BASE_ALLOCATION], flags: ALL_FLAGS | TRANSMISSION_FLAG.SEND_DF });
    const world = new SessionWorld(disk);
    const { client, stream } = await world.join();
    client.ask({ flags: COMMAND_FLAG.DF, length: 512 });
    client.ask({ command: COMMAND.BLOCK_STATUS, length: 512 });
    client.read(0, 512);
    await settle();
    expect(client.answers).toEqual([
      [1n, NBD_ERROR.EINVAL],
      [2n, NBD_ERROR.EINVAL],
    ]);
    expect(disk.held).toMatchObject([{ command: COMMAND.READ, flags: COMMAND_FLAG.DF }]);
    disk.answerAll();
    await settle();
    expect(client.replies[2]).toEqual({ error: 0, cookie: 3n, data: diskBytes(0, 512) });
    stream.drop();
    await world.expectNothingHeld();
  });
});

describe("ClientSession and the memory of block status", () => {
  const contexts = [BASE_ALLOCATION, "qemu:dirty"];
  const reserved = LIMITS.statusExtents * 8 * contexts.length;

  it("reserves room for all that can be told, and gives it back when that has left", async () => {
    const disk = new HeldDisk({ contexts });
    const world = new SessionWorld(disk, new ByteBudget(3 * reserved + 100, 100));
    const { client, stream } = await join(world, [BASE_ALLOCATION]);
    for (let count = 0; count < 5; count += 1) client.blockStatus(0, 512);
    await settle();
    expect([disk.held.length, world.budget.heldBytes, stream.paused]).toEqual([3, 3 * reserved, true]);
    const extents = Uint32Array.from({ length: 200 }, (_, index) => (index % 2 === 0 ? 5 : 0));
    const statuses = contexts.map((context) => ({ context, extents }));
    while (disk.held.length > 0) {
      disk.held.shift()?.complete({ error: 0, pieces: [], room: undefined, statuses });
      await settle();
    }
    expect(client.replies.map(({ error }) => error)).toEqual([0, 0, 0, 0, 0]);
    expect([world.budget.heldBytes, world.budget.heldRequests]).toEqual([0, 0]);
    stream.drop();
    await world.expectNothingHeld();
  });

  it("holds no more for a client that reads no answers than it may leave unread", async () => {
    const disk = new PiecesDisk(Buffer.alloc(MIB), [], { contexts: [BASE_ALLOCATION] });
    disk.extents = LIMITS.statusExtents;
    const world = new SessionWorld(disk);
    const { client, stream } = await join(world, [BASE_ALLOCATION]);
    stream.takeOnly(0);
    for (let count = 0; count < 180; count += 1) {
      client.blockStatus(0, MIB);
      if (count % 10 === 0) await settle();
    }
    await settle();
    expect(stream.paused).toBe(true);
    expect(world.budget.heldBytes).toBeLessThanOrEqual(LIMITS.clientBacklogBytes + 11 * 32 * KIB);
    stream.take();
    await settle();
    expect(client.replies).toHaveLength(180);
    stream.drop();
    await world.expectNothingHeld();
  });

  it("gives it back when the client vanishes, with answers unread and questions unanswered", async () => {
    const disk = new HeldDisk({ contexts });
    const world = new SessionWorld(disk);
    const { client, stream } = await join(world, contexts);
    stream.takeOnly(0);
    for (let count = 0; count < 20; count += 1) client.blockStatus(0, 512);
    await settle();
    const statuses = contexts.map((context) => ({ context, extents: Uint32Array.of(512, 0) }));
    for (const asked of disk.held.splice(0, 10)) asked.complete({ error: 0, pieces: [], room: undefined, statuses });
    await settle();
    expect(world.budget.heldBytes).toBe(20 * reserved);
    stream.drop();
    await world.expectNothingHeld();
  });
});

const shapes = fc.array(
  fc.record<PieceShape>({
    kind: fc.constantFrom("data", "data", "hole"),
    lengthBytes: fc.integer({ min: 1, max: 300 }),
    headroomBytes: fc.constantFrom(0, 15, 16, 27, 28, 40),
    continues: fc.boolean(),
    adjacent: fc.boolean(),
  }),
  { minLength: 1, maxLength: 12 },
);

const reads = fc.array(
  fc.record({
    offset: fc.nat(2000),
    length: fc.oneof(fc.nat(1000), fc.constantFrom(0, 1)),
    flags: fc.constantFrom(0, 0, COMMAND_FLAG.DF),
  }),
  { minLength: 1, maxLength: 8 },
);

describe("ClientSession, of the same disk", () => {
  it("gives clients of simple and of structured replies the same bytes, in whatever pieces the disk has them", async () => {
    const contents = Buffer.from(
      Uint8Array.from({ length: 3000 }, (_, at) => (Math.floor(at / 100) % 3 === 0 ? 0 : 1 + (at % 255))),
    );
    await fc.assert(
      fc.asyncProperty(shapes, reads, async (shaped, asked) => {
        const world = new SessionWorld(new PiecesDisk(contents, shaped));
        const { client, stream } = await join(world);
        const simpleStream = new FakeStream("simple");
        world.serve(Buffer.alloc(0), simpleStream);
        const simple = await new TestClient(simpleStream).join();
        // All of them at once: what is written in place for one must not hurt another.
        for (const { offset, length, flags } of asked) {
          client.read(offset, length, flags);
          simple.read(offset, length);
        }
        await settle();
        const expected = asked.map(({ offset, length }) => contents.subarray(offset, offset + length));
        expect(client.replies.map(({ data }) => data)).toEqual(expected);
        expect(simple.replies.map(({ data }) => data)).toEqual(expected);
        stream.drop();
        simpleStream.drop();
        await world.expectNothingHeld();
      }),
      { numRuns: 100 },
    );
  }, 30_000);

  it("keeps holes, and the chunks of the disk, for a client that wants them", async () => {
    const contents = Buffer.alloc(1000, 7).fill(0, 100, 200);
    const shape: PieceShape = { kind: "data", lengthBytes: 100, headroomBytes: 28, continues: false, adjacent: true };
    const disk = new PiecesDisk(contents, [shape, { ...shape, kind: "hole" }, shape, { ...shape, continues: true }]);
    const world = new SessionWorld(disk);
    const { client, stream } = await join(world);
    client.read(0, 500);
    await settle();
    expect(client.replies[0]?.chunks).toEqual(["data 100@0", "hole 100@100", "data 200@200", "data 100@400"]);
    stream.drop();
    await world.expectNothingHeld();
  });
});
