import { describe, expect, it } from "vitest";

import { MemoryDisk } from "../../../src/disks/memory-disk.ts";
import { COMMAND, NBD_ERROR } from "../../../src/protocol/constants.ts";
import { FakeStream } from "../support/fake-stream.ts";
import { diskBytes, HeldDisk } from "../support/held-disk.ts";
import { parseReplies, replyBytes, requestBytes } from "../support/naive-codec.ts";
import { afterServerHello, clientHello } from "../support/negotiation.ts";
import { settle } from "../support/settle.ts";
import { SessionWorld } from "./served-client.ts";

const SIZE = 1024 * 1024;

describe("ClientSession", () => {
  it("serves a client from hello to good-bye", async () => {
    const world = new SessionWorld(new MemoryDisk({ sizeBytes: SIZE }));
    const { client, stream } = await world.join();
    client.write(4096, Buffer.from("some bytes"));
    client.read(4090, 20);
    client.ask({ command: COMMAND.FLUSH });
    client.ask({ command: COMMAND.WRITE_ZEROES, offset: 4096, length: 4 });
    client.read(4096, 10);
    await settle();
    expect(client.replies).toEqual([
      { error: 0, cookie: 1n, data: Buffer.alloc(0) },
      { error: 0, cookie: 2n, data: Buffer.from("\0\0\0\0\0\0some bytes\0\0\0\0") },
      { error: 0, cookie: 3n, data: Buffer.alloc(0) },
      { error: 0, cookie: 4n, data: Buffer.alloc(0) },
      { error: 0, cookie: 5n, data: Buffer.from("\0\0\0\0 bytes") },
    ]);
    client.disconnect();
    await settle();
    expect([stream.finished, world.left]).toEqual([true, 1]);
    stream.sayEnd();
    await settle();
    expect(world.log.lines).toEqual(["info: client client: attached", "info: client client: left"]);
    await world.expectNothingHeld();
  });

  it("understands the same session byte by byte", async () => {
    const world = new SessionWorld(new MemoryDisk({ sizeBytes: SIZE }));
    const stream = new FakeStream();
    stream.readBytes = 1;
    world.serve(Buffer.alloc(0), stream);
    stream.say(
      Buffer.concat([
        clientHello(),
        requestBytes({ command: 1, cookie: 1n, offset: 7, payload: Buffer.from("payload") }),
        requestBytes({ command: 0, cookie: 2n, offset: 5, length: 11 }),
        requestBytes({ command: 2 }),
      ]),
    );
    await settle();
    expect(afterServerHello(stream.heard)).toEqual(
      Buffer.concat([replyBytes({ cookie: 1n }), replyBytes({ cookie: 2n, data: Buffer.from("\0\0payload\0\0") })]),
    );
    await world.expectNothingHeld();
  });

  it("answers a burst of requests with one write", async () => {
    const world = new SessionWorld(new MemoryDisk({ sizeBytes: SIZE }));
    const { stream, client } = await world.join();
    const before = stream.writes.length;
    stream.say(
      Buffer.concat(Array.from({ length: 16 }, (_, index) => requestBytes({ cookie: BigInt(index), length: 0 }))),
    );
    await settle();
    expect(client.replies).toHaveLength(16);
    expect(stream.writes).toHaveLength(before + 1);
    stream.drop();
    await world.expectNothingHeld();
  });

  it("passes requests on as they are, with room for another header, and replies in the order of completion", async () => {
    const disk = new HeldDisk();
    const world = new SessionWorld(disk);
    const { client, stream } = await world.join();
    client.read(100, 3);
    client.ask({ command: COMMAND.WRITE, flags: 1, offset: 200, payload: Buffer.from("xyz") });
    client.ask({ command: COMMAND.FLUSH });
    await settle();
    const [read, write, flush] = disk.held;
    expect(read).toMatchObject({ command: 0, flags: 0, offset: 100, length: 3, payload: [] });
    expect(read?.room?.headroomBytes).toBe(28);
    expect(write).toMatchObject({ command: 1, flags: 1, offset: 200, length: 3 });
    expect(write?.payload.map((slice) => [String(slice.bytes()), slice.headroomBytes])).toEqual([["xyz", 28]]);
    disk.answer(flush);
    disk.answer(write, NBD_ERROR.ENOSPC);
    disk.answer(read);
    await settle();
    expect(client.replies).toEqual([
      { error: 0, cookie: 3n, data: Buffer.alloc(0) },
      { error: 28, cookie: 2n, data: Buffer.alloc(0) },
      { error: 0, cookie: 1n, data: diskBytes(100, 3) },
    ]);
    stream.drop();
    await world.expectNothingHeld();
  });

  it("keeps requests with the same cookie apart", async () => {
    const disk = new HeldDisk();
    const world = new SessionWorld(disk);
    const { stream } = await world.join();
    for (const offset of [0, 50, 100]) stream.say(requestBytes({ cookie: 7n, offset, length: 4 }));
    await settle();
    disk.answer(disk.held[2]);
    disk.answer(disk.held[0]);
    disk.answer(disk.held[0]);
    await settle();
    const said = afterServerHello(stream.heard) ?? Buffer.alloc(0);
    expect(parseReplies(said, () => 4).replies.map(({ cookie, data }) => [cookie, data])).toEqual([
      [7n, diskBytes(100, 4)],
      [7n, diskBytes(0, 4)],
      [7n, diskBytes(50, 4)],
    ]);
    stream.drop();
    await world.expectNothingHeld();
  });

  it("answers what it refuses after the payload is consumed, and goes on", async () => {
    const world = new SessionWorld(new MemoryDisk({ sizeBytes: SIZE }));
    const { client, stream } = await world.join();
    client.write(SIZE - 1, Buffer.from("beyond the end"));
    client.ask({ command: 99, length: 1 << 30 });
    client.read(0, 2);
    await settle();
    expect(client.answers).toEqual([
      [1n, NBD_ERROR.ENOSPC],
      [2n, NBD_ERROR.EINVAL],
      [3n, 0],
    ]);
    stream.drop();
    await world.expectNothingHeld();
  });

  it("serves a WRITE whose payload spans many slabs", async () => {
    const world = new SessionWorld(new MemoryDisk({ sizeBytes: 4 * SIZE }));
    const { client, stream } = await world.join();
    const payload = Buffer.from(Array.from({ length: SIZE + 13 }, (_, index) => (index * 7) & 0xff));
    client.write(3, payload);
    client.read(3, payload.length);
    await settle();
    expect(client.replies[1]?.data.equals(payload)).toBe(true);
    expect(world.budget.heldBytes).toBe(0);
    stream.drop();
    await world.expectNothingHeld();
  });

  it("serves a client that spoke before its turn", async () => {
    const world = new SessionWorld(new MemoryDisk({ sizeBytes: SIZE }));
    const early = Buffer.concat([clientHello(), requestBytes({ cookie: 5n, length: 1 })]);
    for (const cut of [1, 4, 10, early.length - 1, early.length]) {
      const { stream } = world.serve(early.subarray(0, cut));
      stream.say(early.subarray(cut));
      await settle();
      expect(afterServerHello(stream.heard)).toEqual(replyBytes({ cookie: 5n, data: Buffer.alloc(1) }));
      stream.drop();
    }
    await world.expectNothingHeld();
  });

  it("does not read while it waits for an export to open, though it began with early words", async () => {
    let open = (): void => undefined;
    const opened = new Promise<void>((resolve) => (open = resolve));
    const disk = new MemoryDisk({ sizeBytes: SIZE });
    const world = new SessionWorld({
      list: () => Promise.resolve([]),
      open: async () => {
        await opened;
        return disk;
      },
    });
    const { stream, client } = world.serve(clientHello());
    for (let count = 0; count < 8; count += 1) {
      client.write(0, Buffer.alloc(100_000));
      await settle();
    }
    expect(stream.paused).toBe(true);
    expect(stream.unreadBytes).toBeGreaterThan(700_000);
    open();
    await settle();
    expect(client.replies).toHaveLength(8);
    stream.drop();
    await world.expectNothingHeld();
  });

  it("gives a client that only looks around its answers, and lets it go", async () => {
    const world = new SessionWorld(new MemoryDisk({ sizeBytes: SIZE }));
    const { stream } = world.serve();
    stream.say(Buffer.concat([Buffer.from("00000003", "hex"), Buffer.from("IHAVEOPT0000000200000000", "latin1")]));
    stream.drop();
    await world.expectNothingHeld();
    const other = world.serve();
    const abort = Buffer.concat([Buffer.from("IHAVEOPT"), Buffer.from("0000000200000000", "hex")]);
    other.stream.say(Buffer.concat([Buffer.from("00000003", "hex"), abort]));
    await settle();
    expect(other.stream.heard.subarray(18).toString("hex")).toBe("0003e889045565a9000000020000000100000000");
    expect(other.stream.finished).toBe(true);
    await world.expectNothingHeld();
  });
});
