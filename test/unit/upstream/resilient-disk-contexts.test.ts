import { describe, expect, it } from "vitest";

import type { DiskRequest } from "../../../src/disk.ts";
import { BASE_ALLOCATION, COMMAND, NBD_ERROR } from "../../../src/protocol/constants.ts";
import { chunkBytes, doneBytes, errorChunkBytes, statusChunkBytes } from "../support/naive-codec.ts";
import { settle } from "../support/settle.ts";
import { request } from "./requests.ts";
import { ResilientWorld } from "./resilient-world.ts";
import type { PlayedServer } from "./served-upstream.ts";

const OTHER = "x-test:other";
const HOLE = 3;
const STATUS_LENGTH = 8192;

const status = (fields: Partial<DiskRequest> = {}) =>
  request({ command: COMMAND.BLOCK_STATUS, length: STATUS_LENGTH, ...fields });

/** Answers a BLOCK_STATUS, which came as number `index`: one chunk for each of these contexts, by id. */
async function tell(server: PlayedServer, index: number, ids: readonly number[]): Promise<void> {
  const cookie = server.requests[index]?.cookie ?? 0n;
  for (const [place, id] of ids.entries()) {
    const done = place === ids.length - 1;
    server.stream.say(statusChunkBytes({ cookie, done, id, extents: [[STATUS_LENGTH, id]] }));
  }
  await settle();
}

/** A user who relies on these contexts. */
const relyingOn = (...contexts: string[]) => ({ contexts, onReset: () => undefined });

describe("ResilientDisk of a server with metadata contexts", () => {
  it("offers them, and tells what the server says of each, by name", async () => {
    const { server, handle, disk } = await ResilientWorld.open({ hello: { contexts: [BASE_ALLOCATION, OTHER] } });
    expect(disk.geometry.contexts).toEqual([BASE_ALLOCATION, OTHER]);
    const asked = status();
    handle.submit(asked);
    await settle();
    expect(server.heard).toEqual([`7@0+${STATUS_LENGTH}`]);
    await tell(server, 0, [2, 1]);
    expect(asked.answers).toEqual([
      {
        error: 0,
        data: Buffer.alloc(0),
        statuses: [
          { context: BASE_ALLOCATION, extents: Uint32Array.of(STATUS_LENGTH, 1) },
          { context: OTHER, extents: Uint32Array.of(STATUS_LENGTH, 2) },
        ],
      },
    ]);
  });

  it("has the contexts of the latest connection, and keeps them while it is away", async () => {
    const { world, server, disk } = await ResilientWorld.open({ hello: { contexts: [BASE_ALLOCATION] } });
    const before = disk.geometry;
    expect(disk.geometry).toBe(before);
    await server.drop();
    expect(disk.geometry).toBe(before);
    const same = await world.reconnect({ contexts: [BASE_ALLOCATION] });
    expect(disk.geometry).toBe(before);
    await same.drop();
    const poorer = await world.reconnectAfterWait({});
    expect(disk.geometry).toEqual({ ...before, contexts: [] });
    await poorer.drop();
    await world.reconnectAfterWait({ contexts: [OTHER, BASE_ALLOCATION] });
    expect(disk.geometry).toEqual({ ...before, contexts: [BASE_ALLOCATION, OTHER] });
  });

  it("knows them by their names when the server counts them in another way", async () => {
    const { world, server, handle } = await ResilientWorld.open({ hello: { contexts: [BASE_ALLOCATION, OTHER] } });
    const asked = status();
    handle.submit(asked);
    await server.drop();
    const next = await world.reconnect({ contexts: [OTHER, BASE_ALLOCATION] });
    await tell(next, 0, [1, 2]);
    expect(asked.answers[0]?.statuses?.map(({ context, extents }) => [context, extents[1]])).toEqual([
      [BASE_ALLOCATION, 2],
      [OTHER, 1],
    ]);
  });

  it("does without a context that no user relies on", async () => {
    const { world, server, handle } = await ResilientWorld.open({ hello: { contexts: [BASE_ALLOCATION] } });
    const asked = request({ length: 4 });
    handle.submit(asked);
    await server.drop();
    const next = await world.reconnect({ structured: true });
    await next.answer(0, 0, Buffer.from("abcd"));
    expect(asked.answers).toEqual([{ error: 0, data: Buffer.from("abcd") }]);
  });

  it("waits for a server that has what a user relies on, for as long as that one is there", async () => {
    const { world, server, disk } = await ResilientWorld.open({ hello: { contexts: [BASE_ALLOCATION, OTHER] } });
    const [first, second] = [disk.attach(relyingOn(OTHER)), disk.attach(relyingOn(BASE_ALLOCATION))];
    const asked = request({ length: 4 });
    first.submit(asked);
    await server.drop();
    const stranger = await world.reconnect({ contexts: [OTHER] });
    expect([stranger.stream.destroyed, stranger.requests]).toEqual([true, []]);
    expect(world.log.of("warning").at(-1)).toContain("no metadata context");
    second.close();
    const right = await world.reconnectAfterWait({ contexts: [OTHER] });
    await right.answer(0, 0, Buffer.from("abcd"));
    expect([asked.answers.length, disk.geometry.contexts]).toEqual([1, [OTHER]]);
  });

  it("looks again when a user who relies on a context came while the connection was not yet used", async () => {
    const { world, server, disk } = await ResilientWorld.open({
      hello: { contexts: [BASE_ALLOCATION] },
      fence: "strict",
      upstreamTimeoutMs: 1000,
    });
    const handle = disk.attach({ onReset: () => undefined });
    handle.submit(request({ length: 4 }));
    world.clock.advance(1000);
    // Found good beside the silent connection, for those who are there.
    const poor = await world.reconnect({ structured: true });
    expect(poor.stream.destroyed).toBe(false);
    disk.attach(relyingOn(BASE_ALLOCATION));
    server.stream.sayEnd();
    await settle();
    expect(poor.stream.destroyed).toBe(true);
    const rich = await world.reconnectAfterWait({ contexts: [BASE_ALLOCATION] });
    expect(rich.heard).toEqual(["0@0+4"]);
  });
});

/** [what the server says to a BLOCK_STATUS of base:allocation, which has id 1; why it is given up]. */
const LIES: readonly (readonly [string, (cookie: bigint) => Buffer, string])[] = [
  ["an unknown context", (cookie) => statusChunkBytes({ cookie, id: 2, extents: [[512, 0]] }), "not selected, 2"],
  [
    "the id that the context had on another connection",
    (cookie) => statusChunkBytes({ cookie, id: 0, extents: [[512, 0]] }),
    "not selected, 0",
  ],
  [
    "the same context twice",
    (cookie) =>
      Buffer.concat([
        statusChunkBytes({ cookie, done: false, id: 1, extents: [[512, 0]] }),
        statusChunkBytes({ cookie, id: 1, extents: [[512, 0]] }),
      ]),
    "twice",
  ],
  ["no context at all", (cookie) => doneBytes(cookie), 'no block status of \\"base:allocation'],
  [
    "an extent of no bytes",
    (cookie) =>
      statusChunkBytes({
        cookie,
        id: 1,
        extents: [
          [512, 0],
          [0, 0],
        ],
      }),
    "an extent without length",
  ],
  [
    "extents beyond the end of the export",
    (cookie) =>
      statusChunkBytes({
        cookie,
        id: 1,
        extents: [
          [1024 * 1024, 0],
          [1, 0],
        ],
      }),
    "beyond the end of the export",
  ],
  [
    "extents whose sum is beyond all limits",
    (cookie) =>
      statusChunkBytes({ cookie, id: 1, extents: Array.from({ length: 9 }, () => [0xffff_ffff, 0] as const) }),
    "beyond the end of the export",
  ],
  [
    "four thousand million extents",
    // The claim alone: nothing of that size is made, and the first of them is wrong already.
    (cookie) => {
      const chunk = statusChunkBytes({ cookie, id: 1, extents: [[0, 0]] });
      chunk.writeUInt32BE(0xffff_fffc, 16);
      return chunk;
    },
    "an extent without length",
  ],
  [
    "data",
    (cookie) => chunkBytes({ type: 1, flags: 1, cookie, payload: Buffer.alloc(8 + STATUS_LENGTH) }),
    "data in a reply to command 7",
  ],
];

describe("ResilientDisk of a server that lies about block status", () => {
  it.each(LIES)("hangs up on it and asks elsewhere, after %s", async (_name, say, why) => {
    const { world, server, handle } = await ResilientWorld.open({ hello: { contexts: [BASE_ALLOCATION] } });
    const asked = status();
    handle.submit(asked);
    await settle();
    server.stream.say(say(server.requests[0]?.cookie ?? 0n));
    server.stream.say(Buffer.alloc(100_000));
    await settle();
    expect([server.stream.destroyed, asked.answers]).toEqual([true, []]);
    expect(world.log.of("warning")).toEqual([expect.stringContaining(why)]);
    const next = await world.reconnect({ contexts: [BASE_ALLOCATION] });
    await tell(next, 0, [1]);
    expect(asked.answers.map(({ statuses }) => statuses)).toEqual([
      [{ context: BASE_ALLOCATION, extents: Uint32Array.of(STATUS_LENGTH, 1) }],
    ]);
  });

  it("keeps what is not wrong within limits: a flag that nobody knows, many extents, more than was asked", async () => {
    const { server, handle } = await ResilientWorld.open({ hello: { contexts: [BASE_ALLOCATION] } });
    const asked = status();
    handle.submit(asked);
    await settle();
    const extents = [
      [512, 0xffff_ffff],
      [8192, HOLE],
      [512, 0],
    ] as const;
    server.stream.say(statusChunkBytes({ cookie: server.requests[0]?.cookie ?? 0n, id: 1, extents }));
    await settle();
    expect(asked.answers[0]?.statuses?.[0]?.extents).toEqual(Uint32Array.of(512, 0xffff_ffff, 8192, HOLE));
    expect(server.stream.destroyed).toBe(false);
  });

  it("answers nothing that is not whole, wherever the connection is lost, and asks again", async () => {
    const probe = statusChunkBytes({
      id: 1,
      extents: [
        [512, 0],
        [STATUS_LENGTH, HOLE],
      ],
    });
    for (let cut = 0; cut < probe.length; cut += 1) {
      const { world, server, handle } = await ResilientWorld.open({ hello: { contexts: [BASE_ALLOCATION] } });
      const asked = status();
      handle.submit(asked);
      await settle();
      probe.writeBigUInt64BE(server.requests[0]?.cookie ?? 0n, 8);
      server.stream.say(probe.subarray(0, cut));
      await server.drop();
      expect(asked.answers).toEqual([]);
      const next = await world.reconnect({ contexts: [BASE_ALLOCATION] });
      const cookie = next.requests[0]?.cookie ?? 0n;
      next.stream.say(errorChunkBytes({ cookie, error: NBD_ERROR.EIO, text: "moved", offset: 512 }));
      await settle();
      expect(asked.answers).toEqual([
        { error: NBD_ERROR.EIO, data: Buffer.alloc(0), detail: { text: "moved", offset: 512 } },
      ]);
    }
  });
});
