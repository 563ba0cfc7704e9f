import { describe, expect, it } from "vitest";

import { LIMITS } from "../../../src/limits.ts";
import { COMMAND, COMMAND_FLAG, NBD_ERROR, TRANSMISSION_FLAG } from "../../../src/protocol/constants.ts";
import { diskBytes } from "../support/held-disk.ts";
import { parseReplies, replyBytes, requestBytes, type WireRequest } from "../support/naive-codec.ts";
import { ALL_FLAGS, type serverHello } from "../support/negotiation.ts";
import { settle } from "../support/settle.ts";
import { TestClient } from "../support/test-client.ts";
import { HostileWorld } from "./hostile-world.ts";

// Items 8 to 10 of the checklist of malicious clients: requests that no server should see. They are answered by the proxy,
// after their payload, or end that one connection; the server hears of none of them.

const { READ, WRITE, DISC, FLUSH, TRIM, CACHE, WRITE_ZEROES } = COMMAND;
const { EINVAL, ENOSPC, EPERM } = NBD_ERROR;
const F = TRANSMISSION_FLAG;
const SIZE = 1024 * 1024;
const MIB = 1024 * 1024;

type Asked = Parameters<typeof requestBytes>[0];
type Hello = Parameters<typeof serverHello>[0];

/** A proxy with an attacker in its transmission phase. */
async function setUp(hello: Hello = {}) {
  const world = await HostileWorld.open({}, hello);
  const { stream } = await new TestClient(world.network.client("attacker")).join();
  stream.listen();
  const errors = (): number[] => parseReplies(stream.heard).replies.map(({ error }) => error);
  return { world, stream, errors };
}

const NOTHING_OFFERED = { flags: F.HAS_FLAGS };
const READ_ONLY = { flags: ALL_FLAGS | F.READ_ONLY };
const BLOCKS = { blocks: [512, 4096, 65_536] as const };

/** What is asked, how it is refused, and what the server had offered. */
const REFUSED: readonly (readonly [string, Asked, number, Hello?])[] = [
  ["an unknown command", { command: 99 }, EINVAL],
  ["a command of all ones", { command: 0xffff, length: 0xffff_ffff }, EINVAL],
  ["BLOCK_STATUS, which was not negotiated", { command: 7, length: 512 }, EINVAL],
  ["unknown flags on a READ", { command: READ, flags: 0x8000, length: 1 }, EINVAL],
  ["DF without structured replies", { command: READ, flags: COMMAND_FLAG.DF, length: 1 }, EINVAL],
  ["REQ_ONE on a READ", { command: READ, flags: COMMAND_FLAG.REQ_ONE, length: 1 }, EINVAL],
  ["NO_HOLE on a TRIM", { command: TRIM, flags: COMMAND_FLAG.NO_HOLE, length: 1 }, EINVAL],
  [
    "FUA where it is not offered",
    { command: FLUSH, flags: COMMAND_FLAG.FUA },
    EINVAL,
    { flags: F.HAS_FLAGS | F.SEND_FLUSH },
  ],
  [
    "FAST_ZERO where it is not offered",
    { command: WRITE_ZEROES, flags: COMMAND_FLAG.FAST_ZERO, length: 1 },
    EINVAL,
    { flags: ALL_FLAGS & ~F.SEND_FAST_ZERO },
  ],
  ["FLUSH where it is not offered", { command: FLUSH }, EINVAL, NOTHING_OFFERED],
  ["TRIM where it is not offered", { command: TRIM, length: 1 }, EINVAL, NOTHING_OFFERED],
  ["CACHE where it is not offered", { command: CACHE, length: 1 }, EINVAL, NOTHING_OFFERED],
  ["WRITE_ZEROES where it is not offered", { command: WRITE_ZEROES, length: 1 }, EINVAL, NOTHING_OFFERED],
  ["a FLUSH with an offset", { command: FLUSH, offset: 1 }, EINVAL],
  ["a FLUSH with a length", { command: FLUSH, length: 512 }, EINVAL],
  ["a READ past the end", { command: READ, offset: SIZE - 1, length: 2 }, EINVAL],
  ["a READ at the end", { command: READ, offset: SIZE, length: 1 }, EINVAL],
  ["a READ that wraps at 2^64", { command: READ, offset: 2n ** 64n - 1n, length: 2 }, EINVAL],
  ["a READ at 2^53", { command: READ, offset: 2n ** 53n, length: 1 }, EINVAL],
  ["a READ at 2^53 + 1, which no Number holds", { command: READ, offset: 2n ** 53n + 1n, length: 1 }, EINVAL],
  ["a READ at 2^32 times its place", { command: READ, offset: 2n ** 32n, length: 1 }, EINVAL],
  ["a READ of 4 GiB", { command: READ, length: 0xffff_ffff }, EINVAL],
  ["a READ of more than the maximum payload", { command: READ, length: 32 * MIB + 1 }, EINVAL, { sizeBytes: 2 ** 40 }],
  ["a TRIM past the end", { command: TRIM, offset: SIZE, length: 1 }, EINVAL],
  ["WRITE_ZEROES past the end", { command: WRITE_ZEROES, offset: SIZE, length: 1 }, ENOSPC],
  ["WRITE_ZEROES of 4 GiB", { command: WRITE_ZEROES, length: 0xffff_ffff }, ENOSPC],
  ["a WRITE past the end", { command: WRITE, offset: SIZE - 2, payload: Buffer.from("four") }, ENOSPC],
  ["a WRITE that wraps at 2^64", { command: WRITE, offset: 2n ** 64n - 2n, payload: Buffer.from("four") }, ENOSPC],
  ["a WRITE to a read-only disk", { command: WRITE, payload: Buffer.from("four") }, EPERM, READ_ONLY],
  ["TRIM on a read-only disk", { command: TRIM, length: 1 }, EPERM, READ_ONLY],
  ["WRITE_ZEROES on a read-only disk", { command: WRITE_ZEROES, length: 1 }, EPERM, READ_ONLY],
  ["a READ at an unaligned place", { command: READ, offset: 100, length: 512 }, EINVAL, BLOCKS],
  ["a READ of an unaligned length", { command: READ, length: 100 }, EINVAL, BLOCKS],
  ["an unaligned WRITE", { command: WRITE, offset: 512, payload: Buffer.alloc(100) }, EINVAL, BLOCKS],
  [
    "a READ of more than 32 MiB, where the server's maximum is less",
    { command: READ, length: 32 * MIB + 512 },
    EINVAL,
    { ...BLOCKS, sizeBytes: 2 ** 40 },
  ],
  [
    "a WRITE of more than 32 MiB",
    { command: WRITE, payload: Buffer.alloc(32 * MIB + 512) },
    EINVAL,
    { ...BLOCKS, sizeBytes: 2 ** 40 },
  ],
];

describe("a request that no server should see", () => {
  it.each(REFUSED.map(([name, asked, error, hello = {}]) => [name, asked, error, hello] as const))(
    "is refused by the proxy, in step: %s",
    async (_name, asked, error, hello) => {
      const { world, stream, errors } = await setUp(hello);
      const before = world.server.bytes.length;
      stream.say(Buffer.concat([requestBytes({ ...asked, cookie: 5n }), requestBytes({ command: 98, cookie: 6n })]));
      await settle();
      expect(errors()).toEqual([error, EINVAL]);
      expect([world.server.bytes.length, world.complaints, stream.finished]).toEqual([before, [], false]);
      await world.expectUnharmed();
    },
  );

  it.each([
    ["READ", { command: READ }],
    ["WRITE", { command: WRITE }],
    ["TRIM", { command: TRIM }],
  ])("may be empty: a %s of no bytes goes to the server, which may say what it likes", async (_name, asked) => {
    const { world, stream, errors } = await setUp();
    stream.say(requestBytes({ ...asked, cookie: 1n, offset: SIZE }));
    await settle();
    await world.server.answer(0, EINVAL);
    expect(errors()).toEqual([EINVAL]);
    await world.expectUnharmed();
  });
});

describe("a client that gets out of step", () => {
  it.each([
    ["a wrong magic", Buffer.alloc(28, 0x41)],
    ["the magic of a reply", replyBytes({ cookie: 1n, data: Buffer.alloc(12) })],
    ["the magic of extended headers", Buffer.concat([Buffer.from("21e41c71", "hex"), Buffer.alloc(24)])],
    ["a payload behind an unknown command", requestBytes({ command: 98, payload: Buffer.alloc(64, 0x42) })],
    ["a payload behind a TRIM", requestBytes({ command: TRIM, payload: Buffer.alloc(64, 0x42) })],
    ["zeros", Buffer.alloc(1000)],
  ])("is hung up on, with one line, and nobody else: %s", async (_name, bytes) => {
    const { world, stream } = await setUp();
    stream.say(bytes);
    stream.say(Buffer.alloc(1000));
    for (const request of world.server.requests.keys()) await world.server.answer(request);
    await settle();
    expect(world.complaints).toHaveLength(1);
    expect(world.complaints[0]).toMatch(/^client attacker: wrong request magic 0x[0-9a-f]{8}; hanging up$/);
    expect(stream.finished).toBe(true);
    await world.expectUnharmed();
  });

  it("is hung up on for a payload beyond 64 MiB, before a byte of it", async () => {
    const { world, stream, errors } = await setUp({ sizeBytes: 2 ** 40 });
    stream.say(requestBytes({ command: WRITE, length: LIMITS.discardPayloadBytes + 1 }));
    await settle();
    expect([world.complaints.length, errors(), stream.finished]).toEqual([1, [], true]);
    await world.expectUnharmed();
  });

  it("gets its error for a payload of up to 64 MiB when that is consumed, and goes on", async () => {
    const { world, stream, errors } = await setUp({ sizeBytes: 2 ** 40 });
    stream.say(requestBytes({ command: WRITE, length: LIMITS.discardPayloadBytes }));
    for (let count = 0; count < 64; count += 1) {
      expect(errors()).toEqual([]);
      stream.say(Buffer.alloc(MIB));
    }
    await settle();
    expect(errors()).toEqual([EINVAL]);
    await world.expectUnharmed();
  });

  it("is heard no more after its DISC, and what it asked before is answered", async () => {
    const { world, stream, errors } = await setUp();
    const before = requestBytes({ command: WRITE, cookie: 1n, payload: Buffer.from("before") });
    const behind = requestBytes({ command: WRITE, cookie: 2n, payload: Buffer.from("behind") });
    stream.say(Buffer.concat([before, requestBytes({ command: DISC }), behind, Buffer.alloc(500, 0x41)]));
    await settle();
    expect(world.server.requests.map(({ payload }) => String(payload))).toEqual(["before"]);
    await world.server.answer(0);
    expect([errors(), stream.finished, world.complaints]).toEqual([[0], true, []]);
    await world.expectUnharmed();
  });
});

describe("a client that uses a cookie twice", () => {
  it("gets every answer, and the proxy's own cookies stay apart", async () => {
    const { world, stream } = await setUp();
    for (const offset of [0, 1000, 2000]) stream.say(requestBytes({ cookie: 7n, offset, length: 8 }));
    world.witness.ask({ cookie: 7n, offset: 3000, length: 8 });
    await settle();
    const cookies = world.server.requests.map(({ cookie }) => cookie);
    expect(new Set(cookies).size).toBe(4);
    for (const index of [3, 2, 0, 1])
      await world.server.answer(index, 0, diskBytes([0, 1000, 2000, 3000][index] ?? 0, 8));
    expect(parseReplies(stream.heard, () => 8).replies.map(({ data }) => data)).toEqual(
      [2000, 0, 1000].map((offset) => diskBytes(offset, 8)),
    );
    expect(world.witness.replies.map(({ data }) => data)).toEqual([diskBytes(3000, 8)]);
    await world.expectUnharmed();
  });

  it("cannot guess a cookie of the proxy to get another client's answer", async () => {
    const { world, stream } = await setUp();
    world.witness.read(512, 8);
    await settle();
    const { cookie } = world.server.requests[0] as WireRequest;
    stream.say(requestBytes({ cookie, offset: 0, length: 8 }));
    await settle();
    await world.server.answer(0, 0, diskBytes(512, 8));
    expect(stream.heard).toHaveLength(0);
    expect(world.witness.replies.map(({ data }) => data)).toEqual([diskBytes(512, 8)]);
    await world.server.answer(1, 0, diskBytes(0, 8));
    expect(parseReplies(stream.heard, () => 8).replies).toEqual([{ error: 0, cookie, data: diskBytes(0, 8) }]);
  });
});
