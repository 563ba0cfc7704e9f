import assert from "node:assert";

import { describe, expect, it } from "vitest";

import {
  ALLOCATION_FLAG,
  COMMAND,
  COMMAND_FLAG,
  NBD_ERROR,
  TRANSMISSION_FLAG,
} from "../../../src/protocol/constants.ts";
import {
  chunkBytes,
  dataChunkBytes,
  doneBytes,
  errorChunkBytes,
  holeChunkBytes,
  requestBytes,
  statusChunkBytes,
} from "../support/naive-codec.ts";
import { afterServerHello } from "../support/negotiation.ts";
import { settle } from "../support/settle.ts";
import type { StrictReply } from "../support/strict-replies.ts";
import { StructuredClient } from "../support/structured-client.ts";
import { TestClient } from "../support/test-client.ts";
import { serve } from "../upstream/served-upstream.ts";
import { setUp } from "./started-proxy.ts";

// The whole proxy in memory, with the test as the client and as the server: each message of the transmission phase on its way
// down and up, and what becomes of those that are not supported.

const SIZE = 1024 * 1024;
const CONTEXTS = ["base:allocation", "qemu:allocation-depth"];
/** All transmission flags that a server may have with structured replies, but READ_ONLY. */
const OFFERED =
  TRANSMISSION_FLAG.HAS_FLAGS |
  TRANSMISSION_FLAG.SEND_FLUSH |
  TRANSMISSION_FLAG.SEND_FUA |
  TRANSMISSION_FLAG.ROTATIONAL |
  TRANSMISSION_FLAG.SEND_TRIM |
  TRANSMISSION_FLAG.SEND_WRITE_ZEROES |
  TRANSMISSION_FLAG.SEND_DF |
  TRANSMISSION_FLAG.SEND_CACHE |
  TRANSMISSION_FLAG.SEND_FAST_ZERO;
const { READ, WRITE, DISC, FLUSH, TRIM, CACHE, WRITE_ZEROES, BLOCK_STATUS } = COMMAND;
const { FUA, NO_HOLE, DF, REQ_ONE, FAST_ZERO } = COMMAND_FLAG;

/** A proxy with a structured client, before a structured server. */
async function joined(flags: number = OFFERED) {
  const world = setUp();
  const starting = world.proxy.start();
  const server = await serve(world.network, { sizeBytes: SIZE, flags, contexts: CONTEXTS });
  await starting;
  const client = await new StructuredClient(world.network.client(), CONTEXTS).join("disk");
  return { ...world, server, client };
}

/** The transmission flags that GO tells a client, from the reply of type INFO about the export. */
function flagsTold(heard: Buffer): number {
  const information = heard.indexOf(
    Buffer.from("0003e889045565a9 00000007 00000003 0000000c 0000".replaceAll(" ", ""), "hex"),
  );
  expect(information).toBeGreaterThan(0);
  return heard.readUInt16BE(information + 20 + 10);
}

describe("a command", () => {
  it.each<readonly [string, number, number, object]>([
    ["READ", READ, 0, { length: 512 }],
    ["READ with DF", READ, DF, { length: 512 }],
    ["READ with FUA", READ, FUA, { length: 512 }],
    ["WRITE", WRITE, 0, { payload: Buffer.alloc(512, 7) }],
    ["WRITE with FUA", WRITE, FUA, { payload: Buffer.alloc(512, 7) }],
    ["TRIM", TRIM, 0, { length: 512 }],
    ["TRIM with FUA", TRIM, FUA, { length: 512 }],
    ["CACHE", CACHE, 0, { length: 512 }],
    ["WRITE_ZEROES", WRITE_ZEROES, 0, { length: 512 }],
    ["WRITE_ZEROES with NO_HOLE and FAST_ZERO", WRITE_ZEROES, NO_HOLE | FAST_ZERO, { length: 512 }],
    ["BLOCK_STATUS", BLOCK_STATUS, 0, { length: 512 }],
    ["BLOCK_STATUS with REQ_ONE", BLOCK_STATUS, REQ_ONE, { length: 512 }],
    ["FLUSH", FLUSH, 0, {}],
  ])("reaches the server as it was asked: %s", async (_name, command, flags, what) => {
    const { server, client } = await joined();
    const asked = { command, flags, offset: command === FLUSH ? 0 : 4096, ...what };
    client.ask(asked);
    await settle();
    expect(server.requests).toHaveLength(1);
    expect(server.requests[0]).toMatchObject({ ...asked, offset: BigInt(asked.offset) });
  });

  it("DISC is the client's own, and the server hears it when the proxy stops", async () => {
    const { server, client, proxy } = await joined();
    client.disconnect();
    await settle();
    expect(client.stream.destroyed || client.stream.finished).toBe(true);
    expect(server.requests).toEqual([]);
    const stopping = proxy.stop();
    await settle();
    await server.answer(0);
    expect(server.requests.map(({ command }) => command)).toEqual([FLUSH, DISC]);
    server.stream.sayEnd();
    await stopping;
  });

  it.each([
    ["RESIZE, of an extension", 8, 0],
    ["READ with PAYLOAD_LEN, a flag of an extension", READ, 0x20],
    ["WRITE with DF", WRITE, DF],
    ["TRIM with NO_HOLE", TRIM, NO_HOLE],
    ["BLOCK_STATUS with DF", BLOCK_STATUS, DF],
    ["READ with REQ_ONE", READ, REQ_ONE],
    ["a command that nobody knows", 77, 0],
  ])("that makes no sense gets EINVAL, and no server sees it: %s", async (_name, command, flags) => {
    const { server, client } = await joined();
    const payload = command === WRITE ? { payload: Buffer.alloc(512) } : { length: 512 };
    const cookie = client.ask({ command, flags, ...payload });
    await settle();
    expect(client.answers).toEqual([[cookie, NBD_ERROR.EINVAL]]);
    expect(server.requests).toEqual([]);
  });
});

describe("a chunk of a structured reply", () => {
  /** What a client is told of a request when the server says this, which is made with its cookie. */
  async function told(command: number, say: (cookie: bigint) => Buffer): Promise<StrictReply> {
    const { server, client } = await joined();
    client.ask({ command, offset: 4096, length: 1024 });
    await settle();
    server.stream.say(say(server.requests[0]?.cookie ?? 0n));
    await settle();
    expect(client.replies).toHaveLength(1);
    const [reply] = client.replies;
    assert(reply !== undefined);
    return reply;
  }

  it("OFFSET_DATA and OFFSET_HOLE stay what they are, and DONE is on the last", async () => {
    const data = Buffer.alloc(512, 0x5a);
    const reply = await told(READ, (cookie) =>
      Buffer.concat([
        dataChunkBytes({ cookie, done: false, offset: 4096, data }),
        holeChunkBytes({ cookie, offset: 4608, length: 512 }),
      ]),
    );
    expect(reply.chunks).toEqual(["data 512@4096", "hole 512@4608"]);
    expect(reply.data).toEqual(Buffer.concat([data, Buffer.alloc(512)]));
  });

  it("NONE ends a reply, and is not passed on where something else can be the end", async () => {
    const data = Buffer.alloc(1024, 1);
    const read = await told(READ, (cookie) =>
      Buffer.concat([dataChunkBytes({ cookie, done: false, offset: 4096, data }), doneBytes(cookie)]),
    );
    expect(read.chunks).toEqual(["data 1024@4096"]);
    expect((await told(TRIM, doneBytes)).chunks).toEqual(["simple"]);
  });

  it("NONE is the answer to a READ of nothing", async () => {
    const { server, client } = await joined();
    client.read(4096, 0);
    await settle();
    server.stream.say(doneBytes(server.requests[0]?.cookie));
    await settle();
    expect(client.replies[0]?.chunks).toEqual(["none"]);
  });

  it("BLOCK_STATUS has the ids of each side, and what is said of allocation", async () => {
    const { HOLE, ZERO } = ALLOCATION_FLAG;
    const allocation = [256, 0, 256, HOLE, 256, ZERO, 256, HOLE | ZERO] as const;
    const pairs = [0, 2, 4, 6].map((at) => [allocation[at] ?? 0, allocation[at + 1] ?? 0] as const);
    const reply = await told(BLOCK_STATUS, (cookie) =>
      Buffer.concat([
        statusChunkBytes({ cookie, done: false, id: 2, extents: [[1024, 1]] }),
        statusChunkBytes({ cookie, id: 1, extents: pairs }),
      ]),
    );
    expect(reply.chunks).toEqual(["status 1", "status 2"]);
    expect([...reply.statuses]).toEqual([
      [1, pairs],
      [2, [[1024, 1]]],
    ]);
  });

  it.each([READ, BLOCK_STATUS, TRIM])("ERROR and ERROR_OFFSET keep text and place, for command %i", async (command) => {
    const error = NBD_ERROR.EIO;
    const plain = await told(command, (cookie) => errorChunkBytes({ cookie, error, text: "a bad disk" }));
    expect(plain).toMatchObject({ error, text: "a bad disk", errorOffset: undefined });
    const placed = await told(command, (cookie) => errorChunkBytes({ cookie, error, text: "here", offset: 4608 }));
    expect(placed).toMatchObject({ error, text: "here", errorOffset: 4608 });
  });

  it("of a type for errors that nobody knows is an error", async () => {
    const reply = await told(READ, (cookie) =>
      chunkBytes({ cookie, type: 0x8077, payload: Buffer.from("0000000c0000", "hex") }),
    );
    expect(reply.error).not.toBe(0);
  });

  it.each([
    ["BLOCK_STATUS_EXT, of an extension", chunkBytes({ type: 6, payload: Buffer.alloc(24) })],
    ["a type that nobody knows", chunkBytes({ type: 99, payload: Buffer.alloc(24) })],
    ["an extended header", Buffer.concat([Buffer.from("6e8a278c", "hex"), Buffer.alloc(28)])],
  ])(
    "that is not supported ends the connection to the server, and the request is asked again: %s",
    async (_name, said) => {
      const { server, client, network } = await joined();
      client.ask({ command: READ, offset: 0, length: 512 });
      await settle();
      said.writeBigUInt64BE(server.requests[0]?.cookie ?? 0n, 8);
      server.stream.say(said);
      await settle();
      expect(server.stream.destroyed).toBe(true);
      expect(client.replies).toEqual([]);
      const next = await serve(network, { sizeBytes: SIZE, flags: OFFERED, contexts: CONTEXTS });
      expect(next.requests).toMatchObject([{ command: READ, length: 512 }]);
    },
  );
});

describe("an error", () => {
  const { EPERM, EIO, ENOMEM, EINVAL, ENOSPC, EOVERFLOW, ENOTSUP, ESHUTDOWN } = NBD_ERROR;

  it.each(Object.entries({ EPERM, EIO, ENOMEM, EINVAL, ENOSPC, EOVERFLOW, ENOTSUP }))(
    "passes as it is, in a simple reply and in a chunk: %s",
    async (_name, error) => {
      const { server, client } = await joined();
      const cookies = [client.ask({ command: TRIM, offset: 0, length: 512 }), client.read(4096, 512)];
      await settle();
      await server.answer(0, error);
      server.stream.say(errorChunkBytes({ cookie: server.requests[1]?.cookie ?? 0n, error }));
      await settle();
      expect(client.answers).toEqual(cookies.map((cookie) => [cookie, error]));
    },
  );

  it("ESHUTDOWN is the end of the connection, and no client hears it", async () => {
    const { server, client, network } = await joined();
    client.read(0, 512);
    await settle();
    const cookie = server.requests[0]?.cookie ?? 0n;
    server.stream.say(errorChunkBytes({ cookie, error: ESHUTDOWN }));
    await settle();
    expect(client.replies).toEqual([]);
    const next = await serve(network, { sizeBytes: SIZE, flags: OFFERED, contexts: CONTEXTS });
    expect(next.requests).toMatchObject([{ command: READ, length: 512 }]);
  });
});

describe("a transmission flag", () => {
  const KNOWN = { ...TRANSMISSION_FLAG };

  it("is told as the server has it, to a client of structured replies", async () => {
    const { client } = await joined();
    expect(flagsTold(client.stream.heard)).toBe(OFFERED);
    const readOnly = KNOWN.HAS_FLAGS | KNOWN.READ_ONLY | KNOWN.SEND_DF;
    expect(flagsTold((await joined(readOnly)).client.stream.heard)).toBe(readOnly);
  });

  it("SEND_DF is for structured replies only", async () => {
    const { network, client } = await joined();
    client.disconnect();
    await settle();
    const simple = await new TestClient(network.client()).join("disk");
    expect(flagsTold(simple.stream.heard)).toBe(OFFERED & ~KNOWN.SEND_DF);
  });

  it("CAN_MULTI_CONN is the proxy's own", async () => {
    const { client } = await joined(OFFERED | KNOWN.CAN_MULTI_CONN);
    expect(flagsTold(client.stream.heard)).toBe(OFFERED);
  });

  it("of what is not supported is not passed on: SEND_RESIZE, BLOCK_STATUS_PAYLOAD and those that nobody knows", async () => {
    const blockStatusPayload = 1 << 12;
    const { client } = await joined(OFFERED | KNOWN.SEND_RESIZE | blockStatusPayload | (7 << 13));
    expect(flagsTold(client.stream.heard)).toBe(OFFERED);
  });
});

describe("a request with an extended header", () => {
  it("ends the client's connection: it was never agreed on", async () => {
    const { client, server } = await joined();
    client.stream.say(Buffer.concat([Buffer.from("21e41c71", "hex"), requestBytes({ length: 512 })]));
    await settle();
    expect(client.stream.destroyed || client.stream.finished).toBe(true);
    expect(server.requests).toEqual([]);
    expect(afterServerHello(client.stream.heard)).toEqual(Buffer.alloc(0));
  });
});
