import { describe, expect, it } from "vitest";

import { LIMITS } from "../../../src/limits.ts";
import { COMMAND, NBD_ERROR } from "../../../src/protocol/constants.ts";
import { diskBytes } from "../support/held-disk.ts";
import { requestBytes } from "../support/naive-codec.ts";
import { settle } from "../support/settle.ts";
import { playSession, SILENCE_MS } from "./played-session.ts";
import { ask, type Asked, askStatus } from "./structured.ts";

const STRUCTURED = { contextNames: new Map([[1, "base:allocation"]]) };
const DISC = requestBytes({ command: COMMAND.DISC });
const WHY = new Error("silent for too long");

/** A session with a READ of 200 bytes at 0 and a BLOCK_STATUS at the server. */
async function busy(options: Parameters<typeof playSession>[0] = STRUCTURED) {
  const played = playSession(options);
  const read = ask(played, { length: 200 });
  const status = askStatus(played);
  await settle();
  played.stream.listen();
  return { ...played, read, status };
}

/** Chunks of both replies, mixed; neither is whole before the last two. */
function mixed(read: Asked, status: Asked): Buffer {
  return Buffer.concat([
    read.data(150, diskBytes(150, 50)),
    read.hole(0, 20),
    read.data(20, diskBytes(20, 130)),
    status.status(1, [
      [512, 3],
      [512, 0],
    ]),
    status.none(),
    read.none(),
  ]);
}

describe("UpstreamSession that loses its connection in the middle of structured replies", () => {
  it("answers nothing that is not whole, and gives all memory back, wherever that happens", async () => {
    const probe = await busy();
    const bytes = mixed(probe.read, probe.status);
    for (let cut = 0; cut < bytes.length; cut += 1) {
      const { stream, pool, losses, read, status } = await busy({ ...STRUCTURED, slabBytes: 128, roomBytes: 50 });
      stream.say(bytes.subarray(0, cut));
      expect(losses).toEqual([]);
      stream.drop();
      await settle();
      const statusIsWhole = cut >= bytes.length - 20;
      expect([read.heard, status.heard.length, losses.length, pool.heldBytes]).toEqual([
        [],
        statusIsWhole ? 1 : 0,
        1,
        0,
      ]);
    }
  });

  it("gives the memory back at once when the server broke the protocol, however long the connection lasts", async () => {
    const { stream, pool, read, status, losses } = await busy({
      ...STRUCTURED,
      slabBytes: 512,
      roomBytes: 50,
      strict: true,
    });
    stream.say(read.data(0, diskBytes(0, 150)));
    for (let count = 0; count < 10; count += 1) stream.say(read.error(5, "x".repeat(60)));
    stream.say(read.none());
    stream.say(status.status(2, [[512, 0]]));
    await settle();
    expect([losses.length, read.heard.length, status.heard, stream.destroyed, pool.heldBytes]).toEqual([
      1,
      1,
      [],
      false,
      512,
    ]);
  });
});

describe("UpstreamSession with structured replies", () => {
  it("takes the error ESHUTDOWN in a chunk for the end of the connection", async () => {
    const { stream, read, losses } = await busy();
    stream.say(read.error(NBD_ERROR.ESHUTDOWN, "maintenance", undefined, true));
    await settle();
    expect([losses, read.heard]).toEqual([["ConnectionLost: the server is shutting down"], []]);
    expect([stream.heard, stream.finished]).toEqual([DISC, true]);
  });

  it("counts a request as answered when all of its chunks are there", async () => {
    const { stream, clock, read, status, signs } = await busy();
    stream.say(status.status(1, [[1024, 0]], true));
    for (let at = 0; at < 150; at += 50) stream.say(read.data(at, diskBytes(at, 50)));
    clock.advance(SILENCE_MS);
    expect(signs).toEqual(["silent"]);
    stream.say(read.hole(150, 50, true));
    expect(signs).toEqual(["silent", "heard again"]);
    clock.advance(10 * SILENCE_MS);
    expect(signs).toEqual(["silent", "heard again"]);
  });

  it("gives up at a chunk of a request that was not sent yet", async () => {
    const played = playSession(STRUCTURED);
    played.stream.takeOnly(10);
    ask(played, { text: "x".repeat(100) });
    await settle();
    const late = ask(played, { length: 4 });
    await settle();
    played.stream.say(late.data(0, "abcd", true));
    expect(played.losses).toEqual(["ProtocolViolation: a reply to a request that was not sent yet"]);
    expect(late.heard).toEqual([]);
    await settle();
  });
});

describe("UpstreamSession with structured replies that is given up while it may still work", () => {
  it("takes late answers, those that had begun before as well", async () => {
    const { session, stream, read, status, losses, pool } = await busy();
    stream.say(read.data(0, diskBytes(0, 100)));
    session.retire(WHY);
    await settle();
    stream.say(status.status(1, [[1024, 1]], true));
    stream.say(read.hole(100, 100, true));
    expect([read.heard, status.heard]).toEqual([
      [`28:${diskBytes(0, 100).toString("latin1")} hole 100`],
      ["base:allocation=1024/1"],
    ]);
    expect([losses.length, stream.destroyed, pool.heldBytes]).toEqual([1, false, LIMITS.slabBytes]);
  });

  it("takes no more of a reply whose request was sent again, and lets go of what it had", async () => {
    const { session, stream, read, pool } = await busy({ ...STRUCTURED, slabBytes: 512, roomBytes: 50 });
    stream.say(read.data(0, diskBytes(0, 130)));
    session.retire(WHY);
    await settle();
    const next = playSession(STRUCTURED);
    next.session.send(read.entry, undefined);
    stream.say(read.hole(130, 70, true));
    await settle();
    expect([read.heard, stream.destroyed, pool.heldBytes]).toEqual([[], true, 0]);
  });

  it("hands nothing on when the request was sent again while the last chunk arrived", async () => {
    const { session, stream, read, status, pool } = await busy();
    stream.say(read.hole(0, 100));
    const last = read.data(100, diskBytes(100, 100), true);
    stream.say(last.subarray(0, 60));
    session.retire(WHY);
    await settle();
    playSession(STRUCTURED).session.send(read.entry, undefined);
    stream.say(Buffer.concat([last.subarray(60), status.status(1, [[1024, 1]], true)]));
    expect([read.heard, status.heard]).toEqual([[], ["base:allocation=1024/1"]]);
    expect(pool.heldBytes).toBe(LIMITS.slabBytes);
    await settle();
  });
});
