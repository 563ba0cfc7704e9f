import { once } from "node:events";
import { createServer, connect, type AddressInfo, type OnReadOpts, type Server, type Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { LIMITS } from "../../../src/limits.ts";
import type { StreamReader } from "../../../src/ports/network.ts";
import { AdaptivePolling } from "../../../src/transport/adaptive-polling.ts";
import { DirectReads } from "../../../src/transport/node-direct-reads.ts";
import { NodeStream, type StreamSurroundings } from "../../../src/transport/node-stream.ts";
import { Turn } from "../../../src/transport/turn.ts";
import { SeededRandom } from "../../simulation/seeded-random.ts";
import { until } from "../support/settle.ts";

/** Has everything read into one long memory, side by side, and looks at nothing before the end: like messages in a slab. */
class KeepingReader implements StreamReader {
  readonly events: string[] = [];
  readonly readBytes: number[] = [];
  readonly #memory: Buffer;
  #end = 0;
  onReceived: () => void = () => undefined;

  constructor(sizeBytes: number) {
    this.#memory = Buffer.alloc(sizeBytes);
  }

  get bytes(): Buffer {
    return this.#memory.subarray(0, this.#end);
  }

  buffer(): Buffer {
    return this.#memory.subarray(this.#end);
  }

  received(count: number): void {
    this.readBytes.push(count);
    this.#end += count;
    this.onReceived();
  }

  drained(): void {
    this.events.push("drained");
  }

  ended(): void {
    this.events.push("ended");
  }

  closed(error: Error | undefined): void {
    this.events.push(`closed ${error === undefined ? "well" : (error as NodeJS.ErrnoException).code}`);
  }
}

const ROOM_BYTES = 4 * 1024 * 1024;

/** A stream that was dialled, and the plain socket at its other end. */
async function connection(server: Server, surroundings: StreamSurroundings) {
  const accepted = once(server, "connection");
  const { port } = server.address() as AddressInfo;
  let dialled: Socket | undefined;
  const makeSocket = (onread: OnReadOpts): Socket => {
    dialled = connect({ port, host: "127.0.0.1", onread, allowHalfOpen: true, noDelay: true }).pause();
    return dialled;
  };
  const stream = new NodeStream(makeSocket, "test", "127.0.0.1", surroundings);
  if (dialled !== undefined) await once(dialled, "connect");
  const [peer] = (await accepted) as [Socket];
  peer.setNoDelay(true).on("error", () => undefined);
  return { stream, peer };
}

describe("looking at a socket beside the event loop", () => {
  const surroundings = {
    polling: new AdaptivePolling({ nowMs: () => 0, again: () => undefined, giveWay: undefined }),
    turn: new Turn(),
    directReads: DirectReads.find(),
  };
  let server: Server;
  let peer: Socket;
  let stream: NodeStream;
  let reader: KeepingReader;

  async function connected(directReads: DirectReads | undefined): Promise<void> {
    ({ stream, peer } = await connection(server, { ...surroundings, directReads }));
    reader = new KeepingReader(ROOM_BYTES);
    stream.start(reader);
  }

  /** Two words by way of the event loop, between which somebody looks: from then on what comes can be seen at once. */
  async function lookedAt(): Promise<void> {
    await sayAndWait("he");
    expect(stream.look()).toBeUndefined();
    await sayAndWait("llo");
  }

  async function sayAndWait(text: string): Promise<void> {
    const sofar = reader.bytes.length;
    peer.write(text);
    await until("it has come", () => reader.bytes.length === sofar + text.length);
  }

  /** Looks until there is something; what was written on this machine needs no event loop to come. */
  function lookUntilSeen(): void {
    for (let looks = 0; looks < 100_000; looks += 1) if (stream.look() !== false) return;
    throw new Error("nothing was seen");
  }

  beforeEach(async () => {
    server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    await connected(surroundings.directReads);
  });

  afterEach(() => {
    stream.destroy();
    peer.destroy();
    server.close();
  });

  it("can't tell as long as the event loop may read into the reader's memory", async () => {
    await sayAndWait("he");
    peer.write("llo");
    for (let looks = 0; looks < 10; looks += 1) expect(stream.look()).toBeUndefined();
    await until("it has come", () => reader.bytes.length === 5);
    expect(stream.look()).toBe(false);
  });

  it("sees what has come at once, and that nothing has", async () => {
    await lookedAt();
    expect(stream.look()).toBe(false);
    peer.write(", world");
    lookUntilSeen();
    expect(reader.bytes.toString()).toBe("hello, world");
    expect(stream.look()).toBe(false);
  });

  it("reads straight into the reader's memory again when nobody looks any more", async () => {
    await lookedAt();
    await sayAndWait("!");
    await sayAndWait("!");
    const long = "x".repeat(8 * LIMITS.readRoomBytes);
    peer.write(long);
    await until("it has come", () => reader.bytes.length === 7 + long.length);
    expect(Math.max(...reader.readBytes)).toBeGreaterThan(LIMITS.readRoomBytes);
  });

  it.each([1, 2, 3, 4, 5])("keeps everything in order, whoever reads it (seed %i)", async (seed) => {
    const sent: Buffer[] = [];
    const draw = new SeededRandom(seed);
    let sentBytes = 0;
    for (let step = 0; step < 400; step += 1) {
      const chunk = Buffer.alloc(1 + draw.integer(draw.chance(0.1) ? 100_000 : 5_000), step);
      if (sentBytes + chunk.length > ROOM_BYTES) break;
      sent.push(chunk);
      sentBytes += chunk.length;
      peer.write(chunk);
      for (let looks = draw.integer(6); looks > 0; looks -= 1) stream.look();
      if (draw.chance(0.25)) {
        stream.pause();
        expect(stream.look()).toBeUndefined();
        stream.resume();
      }
      if (draw.chance(0.5)) await until("all of it has come", () => reader.bytes.length === sentBytes);
    }
    await until("all of it has come", () => reader.bytes.length === sentBytes);
    expect(reader.bytes.equals(Buffer.concat(sent))).toBe(true);
  });

  it("leaves the end to the event loop", async () => {
    await lookedAt();
    peer.end("!");
    lookUntilSeen();
    expect(stream.look()).toBe(false);
    await until("the end is seen", () => reader.events.length > 0);
    expect(reader.events).toEqual(["ended"]);
    expect(reader.bytes.toString()).toBe("hello!");
  });

  it("tells why a connection broke, though the system says it only once", async () => {
    await lookedAt();
    peer.resetAndDestroy();
    lookUntilSeen();
    expect(stream.look()).toBeUndefined();
    await until("it is closed", () => reader.events.length > 0);
    expect(reader.events).toEqual(["closed ECONNRESET"]);
  });

  it("can't tell anything of a stream that was closed meanwhile", async () => {
    await lookedAt();
    reader.onReceived = () => stream.destroy();
    peer.write("!");
    lookUntilSeen();
    expect(stream.look()).toBeUndefined();
    await until("it is closed", () => reader.events.length > 0);
    expect(reader.events).toEqual(["closed well"]);
  });

  it("gives what it sees to the one who reads by then", async () => {
    await lookedAt();
    const next = new KeepingReader(100);
    stream.start(next);
    peer.write("!");
    lookUntilSeen();
    expect([reader.bytes.toString(), next.bytes.toString()]).toEqual(["hello", "!"]);
  });

  it("keeps what came into the memory of a reader who is gone, even if that is another's by then", async () => {
    await sayAndWait("hello");
    const memory = reader.buffer();
    let at = 4;
    const next = new KeepingReader(0);
    const heard: string[] = [];
    next.buffer = () => memory.subarray(at, at + 2);
    next.received = (count) => {
      heard.push(memory.toString("latin1", at, at + count));
      at += count;
    };
    stream.start(next);
    peer.write("abcdefghij");
    await until("it has come", () => heard.length === 5);
    expect(heard.join("")).toBe("abcdefghij");
  });

  it("does without where there is no such thing", async () => {
    stream.destroy();
    peer.destroy();
    await connected(undefined);
    await lookedAt();
    peer.write("!");
    expect(stream.look()).toBeUndefined();
    await until("it has come", () => reader.bytes.length === 6);
  });

  it("goes on while two take turns, and only then", async () => {
    let nowMs = 0;
    let step: (() => void) | undefined;
    const polling = new AdaptivePolling({
      nowMs: () => nowMs,
      again: (next) => {
        step = next;
      },
      giveWay: undefined,
    });
    const both = [await connection(server, { ...surroundings, polling })];
    both.push(await connection(server, { ...surroundings, polling }));
    const readers = both.map(() => new KeepingReader(ROOM_BYTES));
    // What one of them says goes to the other.
    for (const [index, { stream: from }] of both.entries()) {
      const into = readers[index];
      if (into === undefined) continue;
      into.onReceived = () => both[1 - index]?.stream.write([into.bytes.subarray(-1)]);
      from.start(into);
    }
    const seenAtOnce: boolean[] = [];
    for (let turn = 0; turn < 4 * LIMITS.turnsTaken; turn += 1) {
      const [speaker, into] = [both[turn % 2], readers[turn % 2]];
      const before = into?.bytes.length ?? 0;
      speaker?.peer.write(Buffer.of(turn));
      nowMs += LIMITS.pollingFirstMs / 10;
      for (let looks = 0; looks < 1000 && into?.bytes.length === before; looks += 1) step?.();
      seenAtOnce.push(into?.bytes.length === before + 1);
      await until("it was heard", () => into?.bytes.length === before + 1);
    }
    expect(seenAtOnce.slice(0, LIMITS.turnsTaken)).not.toContain(true);
    expect(seenAtOnce.slice(-LIMITS.turnsTaken)).not.toContain(false);
    expect([...(readers[0]?.bytes ?? [])]).toEqual(
      Array.from({ length: 2 * LIMITS.turnsTaken }, (_, turn) => 2 * turn),
    );
    for (const { stream: each, peer: its } of both) {
      each.destroy();
      its.destroy();
    }
  });
});
