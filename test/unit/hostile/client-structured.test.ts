import { describe, expect, it } from "vitest";

import { COMMAND, COMMAND_FLAG, NBD_ERROR } from "../../../src/protocol/constants.ts";
import { diskBytes } from "../support/held-disk.ts";
import { chunkBytes } from "../support/naive-codec.ts";
import { settle } from "../support/settle.ts";
import { StructuredClient } from "../support/structured-client.ts";
import { HostileWorld } from "./hostile-world.ts";

// What a client may try once it has structured replies: every answer keeps to the grammar of chunks (the client throws if not),
// the server hears of nothing that it should not, and nobody else is hurt.

const { READ, WRITE, BLOCK_STATUS, TRIM } = COMMAND;
const { EINVAL, EIO } = NBD_ERROR;
const SIZE = 1024 * 1024;

/** A proxy with an attacker that has negotiated structured replies. */
async function setUp(hello: Parameters<typeof HostileWorld.open>[1] = {}) {
  const world = await HostileWorld.open({}, hello);
  const client = await new StructuredClient(world.network.client("attacker")).join();
  return { world, client };
}

describe("a client of structured replies", () => {
  it.each<readonly [string, Parameters<StructuredClient["ask"]>[0]]>([
    ["BLOCK_STATUS without a context", { command: BLOCK_STATUS, length: 512 }],
    ["BLOCK_STATUS of nothing", { command: BLOCK_STATUS }],
    ["BLOCK_STATUS with every flag", { command: BLOCK_STATUS, flags: 0xffff, length: 512 }],
    ["BLOCK_STATUS of 4 GiB", { command: BLOCK_STATUS, length: 0xffff_ffff }],
    ["REQ_ONE on a READ", { command: READ, flags: COMMAND_FLAG.REQ_ONE, length: 512 }],
    ["DF on a TRIM", { command: TRIM, flags: COMMAND_FLAG.DF, length: 512 }],
    ["DF on a WRITE", { command: WRITE, flags: COMMAND_FLAG.DF, payload: Buffer.alloc(512) }],
    ["unknown flags on a READ", { command: READ, flags: 0x8000, length: 512 }],
    ["the flag of extended headers", { command: WRITE, flags: 0x20, payload: Buffer.alloc(512) }],
    ["a READ past the end", { command: READ, offset: SIZE - 1, length: 2 }],
    ["a READ of 4 GiB", { command: READ, length: 0xffff_ffff }],
    ["an unknown command", { command: 9, length: 512 }],
  ])("is refused by the proxy, in step: %s", async (_name, asked) => {
    const { world, client } = await setUp();
    const before = world.server.bytes.length;
    client.ask(asked);
    client.ask({ command: 98 });
    await settle();
    expect(client.replies.map(({ error }) => error)).toEqual([EINVAL, EINVAL]);
    expect([world.server.bytes.length, world.complaints, client.stream.finished]).toEqual([before, [], false]);
    await world.expectUnharmed();
  });

  it("gets the server's data in one chunk, and an error in another, whatever it asks in between", async () => {
    const { world, client } = await setUp();
    client.read(512, 1024);
    client.read(2048, 512, COMMAND_FLAG.DF);
    client.ask({ command: BLOCK_STATUS, length: 512 });
    client.read(4096, 512);
    await settle();
    await world.server.answer(2, EIO);
    await world.server.answer(1, 0, diskBytes(2048, 512));
    await world.server.answer(0, 0, diskBytes(512, 1024));
    expect(client.replies.map(({ cookie, error, chunks }) => [cookie, error, chunks])).toEqual([
      [3n, EINVAL, ["error"]],
      [4n, EIO, ["error"]],
      [2n, 0, ["data 512@2048"]],
      [1n, 0, ["data 1024@512"]],
    ]);
    expect(client.replies.slice(2).map(({ data }) => data)).toEqual([diskBytes(2048, 512), diskBytes(512, 1024)]);
    await world.expectUnharmed();
  });

  it("is hung up on when it sends chunks itself", async () => {
    const { world, client } = await setUp();
    client.stream.say(chunkBytes({ type: 1, payload: Buffer.alloc(20) }));
    await settle();
    expect(world.complaints).toEqual([expect.stringContaining("wrong request magic 0x668e33ef; hanging up")]);
    expect(client.stream.finished).toBe(true);
    await world.expectUnharmed();
  });

  it("does not hear structured replies when it never asked for them, nor simple ones to a READ when it did", async () => {
    const { world, client } = await setUp();
    client.read(0, 512);
    world.witness.read(0, 512);
    await settle();
    for (const index of [0, 1]) await world.server.answer(index, 0, diskBytes(0, 512));
    expect(client.replies).toMatchObject([{ error: 0, data: diskBytes(0, 512), chunks: ["data 512@0"] }]);
    expect(world.witness.replies).toMatchObject([{ error: 0, data: diskBytes(0, 512) }]);
  });
});
