import { describe, expect, it } from "vitest";

import { ProtocolViolation } from "../../../src/protocol/protocol-violation.ts";
import type { Slab } from "../../../src/transport/slab.ts";
import { SlabPool } from "../../../src/transport/slab-pool.ts";
import { type SlabConsumer, SlabReader } from "../../../src/transport/slab-reader.ts";
import { FakeStream } from "../support/fake-stream.ts";
import { settle } from "../support/settle.ts";

const SLAB_BYTES = 64;
const ROOM_BYTES = 16;

/** Understands messages of a fixed length and notes what it was given. */
class Consumer implements SlabConsumer {
  readonly messages: string[] = [];
  readonly events: string[] = [];
  readonly slabs = new Set<Slab>();
  /** Called after every message. */
  after: (message: string) => void = () => undefined;
  readonly #messageBytes: number;

  constructor(messageBytes: number) {
    this.#messageBytes = messageBytes;
  }

  consume(slab: Slab, start: number, end: number): number {
    this.slabs.add(slab);
    if (end - start < this.#messageBytes) return start;
    const message = slab.buffer.toString("latin1", start, start + this.#messageBytes);
    if (message.startsWith("!")) throw new ProtocolViolation(message);
    if (message.startsWith("?")) throw new TypeError(message);
    this.messages.push(message);
    this.after(message);
    // One message per call: what follows must come again only when there is more, or a reason.
    return end - start >= 2 * this.#messageBytes ? this.#consumeRest(slab, start, end) : start + this.#messageBytes;
  }

  violated(violation: ProtocolViolation): void {
    this.events.push(`violated ${violation.message}`);
  }

  drained(): void {
    this.events.push("drained");
  }

  ended(): void {
    this.events.push("ended");
  }

  closed(error: Error | undefined): void {
    this.events.push(`closed ${error?.message}`);
  }

  /** Goes on until there is no whole message, or `after` stopped it. */
  stopped = false;

  #consumeRest(slab: Slab, start: number, end: number): number {
    let at = start + this.#messageBytes;
    while (!this.stopped && end - at >= this.#messageBytes) {
      const message = slab.buffer.toString("latin1", at, at + this.#messageBytes);
      if (message.startsWith("!")) throw new ProtocolViolation(message);
      at += this.#messageBytes;
      this.messages.push(message);
      this.after(message);
    }
    return at;
  }
}

function setUp(messageBytes = 4) {
  const stream = new FakeStream();
  const pool = new SlabPool({ slabBytes: SLAB_BYTES, idleSlabs: 4, poison: true });
  const reader = new SlabReader(stream, pool, ROOM_BYTES);
  const consumer = new Consumer(messageBytes);
  reader.handOver(consumer);
  stream.start(reader);
  return { stream, pool, reader, consumer };
}

function say(stream: FakeStream, text: string): void {
  stream.say(Buffer.from(text, "latin1"));
}

describe("SlabReader", () => {
  it("hands messages over where they arrived, in one slab while it has room", () => {
    const { stream, pool, consumer } = setUp();
    for (const text of ["aaaa", "bbbb", "cccc"]) say(stream, text);
    expect(consumer.messages).toEqual(["aaaa", "bbbb", "cccc"]);
    expect(consumer.slabs.size).toBe(1);
    expect(pool.heldBytes).toBe(SLAB_BYTES);
  });

  it("keeps what was left over in front of what comes next, in one piece", () => {
    const { stream, consumer } = setUp();
    for (const text of ["a", "aa", "abb", "b", "bcccc"]) say(stream, text);
    expect(consumer.messages).toEqual(["aaaa", "bbbb", "cccc"]);
  });

  it("takes a fresh slab when little room is left, and lets go of the one before", () => {
    const { stream, pool, consumer } = setUp();
    for (let count = 0; count < 40; count += 1) say(stream, "abcd");
    expect(consumer.messages).toHaveLength(40);
    expect(pool.heldBytes).toBe(SLAB_BYTES);
  });

  it("never writes into what somebody retains", () => {
    const { stream, pool, consumer } = setUp();
    let retained: { slab: Slab; seen: string } | undefined;
    consumer.after = (message) => {
      const [slab] = consumer.slabs;
      if (retained !== undefined || slab === undefined) return;
      slab.retain();
      retained = { slab, seen: message };
    };
    for (let count = 0; count < 40; count += 1) say(stream, String(count).padStart(4));
    expect(pool.heldBytes).toBe(2 * SLAB_BYTES);
    expect(retained?.slab.buffer.toString("latin1", 0, 8)).toBe("   0   1");
    retained?.slab.release();
    expect(pool.heldBytes).toBe(SLAB_BYTES);
  });

  it("moves what was left over into the fresh slab", () => {
    const { stream, consumer } = setUp(20);
    const bytes = Buffer.from(Array.from({ length: 200 }, (_, index) => 0x40 + (index % 60)));
    for (let at = 0; at < bytes.length; at += 7) stream.say(bytes.subarray(at, at + 7));
    expect(consumer.messages.join("")).toBe(bytes.toString("latin1"));
  });

  it("asserts that a consumer leaves room for the next read", () => {
    const { stream } = setUp(SLAB_BYTES);
    expect(() => stream.say(Buffer.alloc(SLAB_BYTES - 1))).toThrow("a consumer left too much");
  });

  it("pauses the stream while it is stalled, and holds what arrives all the same", async () => {
    const { stream, reader, consumer } = setUp();
    say(stream, "aaaab");
    reader.stall();
    reader.stall();
    expect([reader.stalled, stream.paused]).toEqual([true, true]);
    say(stream, "bbbcccc");
    expect(stream.unreadBytes).toBe(7);
    reader.resume();
    expect([reader.stalled, stream.paused]).toEqual([false, false]);
    await settle();
    expect(consumer.messages).toEqual(["aaaa", "bbbb", "cccc"]);
  });

  it("holds a read that was under way when it was stalled", () => {
    const { stream, reader, consumer } = setUp();
    say(stream, "aaaa");
    reader.stall();
    // The system had the memory already, and used it.
    const lent = reader.buffer();
    lent.write("bbbbcc", "latin1");
    reader.received(6);
    expect(consumer.messages).toEqual(["aaaa"]);
    reader.resume();
    expect(consumer.messages).toEqual(["aaaa", "bbbb"]);
    reader.buffer().write("cc", "latin1");
    reader.received(2);
    expect(consumer.messages).toEqual(["aaaa", "bbbb", "cccc"]);
  });

  it("puts a read that came too late behind what it holds, though the end of that was not known", () => {
    const { stream, reader, consumer } = setUp();
    say(stream, "aaaa");
    reader.stall();
    const lent = reader.buffer();
    reader.feed(Buffer.from("bbbb"));
    lent.write("cccc", "latin1");
    reader.received(4);
    reader.resume();
    expect(consumer.messages).toEqual(["aaaa", "bbbb", "cccc"]);
  });

  it("can be stalled in the middle of a burst; the rest comes first after resume", async () => {
    const { stream, reader, consumer } = setUp();
    consumer.after = (message) => {
      if (message !== "bbbb") return;
      consumer.stopped = true;
      reader.stall();
    };
    say(stream, "aaaabbbbccccdd");
    expect(consumer.messages).toEqual(["aaaa", "bbbb"]);
    consumer.stopped = false;
    say(stream, "dd");
    reader.resume();
    await settle();
    expect(consumer.messages).toEqual(["aaaa", "bbbb", "cccc", "dddd"]);
  });

  it("goes on in the same burst when it is stalled and resumed while consuming", () => {
    const { stream, reader, consumer } = setUp();
    consumer.after = (message) => {
      if (message !== "aaaa") return;
      reader.stall();
      reader.resume();
    };
    say(stream, "aaaabbbb");
    expect(consumer.messages).toEqual(["aaaa", "bbbb"]);
    expect(stream.paused).toBe(false);
  });

  it("does not resume the stream when what was left over stalls it again", async () => {
    const { stream, reader, consumer } = setUp();
    consumer.after = () => {
      consumer.stopped = true;
      reader.stall();
    };
    say(stream, "aaaabbbbcccc");
    consumer.stopped = false;
    reader.resume();
    expect(consumer.messages).toEqual(["aaaa", "bbbb"]);
    await settle();
    expect([reader.stalled, stream.paused]).toEqual([true, true]);
  });

  it("hands over to another consumer, in the middle of a burst", () => {
    const { stream, reader, consumer } = setUp();
    const next = new Consumer(2);
    consumer.after = () => {
      consumer.stopped = true;
      reader.handOver(next);
    };
    say(stream, "aaaabbcc");
    expect([consumer.messages, next.messages]).toEqual([["aaaa"], ["bb", "cc"]]);
  });

  it("hands what was not understood to the next consumer at once", () => {
    const { stream, reader, consumer } = setUp(8);
    say(stream, "aabb");
    const next = new Consumer(2);
    reader.handOver(next);
    expect([consumer.messages, next.messages]).toEqual([[], ["aa", "bb"]]);
  });

  it("keeps what is left over for the next consumer while it is stalled", () => {
    const { stream, reader } = setUp(8);
    say(stream, "aabb");
    reader.stall();
    const next = new Consumer(2);
    reader.handOver(next);
    expect(next.messages).toEqual([]);
    reader.resume();
    expect(next.messages).toEqual(["aa", "bb"]);
  });

  it("takes bytes that arrived before it read the stream", () => {
    const pool = new SlabPool({ slabBytes: SLAB_BYTES, idleSlabs: 4 });
    const stream = new FakeStream();
    const reader = new SlabReader(stream, pool, ROOM_BYTES);
    reader.feed(Buffer.from("aaaabb"));
    const consumer = new Consumer(4);
    reader.handOver(consumer);
    stream.start(reader);
    say(stream, "bb");
    expect(consumer.messages).toEqual(["aaaa", "bbbb"]);
  });

  it("turns a violation into an event, and drops what was behind it", () => {
    const { stream, consumer } = setUp();
    say(stream, "aaaa!xxxbbbb");
    expect(consumer.messages).toEqual(["aaaa"]);
    expect(consumer.events).toEqual(["violated !xxx"]);
    say(stream, "cccc");
    expect(consumer.messages).toEqual(["aaaa", "cccc"]);
  });

  it("lets an error of our own through", () => {
    const { stream } = setUp();
    expect(() => say(stream, "?xxx")).toThrow(TypeError);
  });

  it("tells the present consumer what happens to the stream, and lets go of its slab at the end", async () => {
    const { stream, reader, pool, consumer } = setUp();
    const next = new Consumer(4);
    say(stream, "aaaab");
    reader.drained();
    reader.handOver(next);
    stream.sayEnd();
    stream.drop(new Error("reset"));
    await settle();
    expect(consumer.events).toEqual(["drained"]);
    expect(next.events).toEqual(["ended", "closed reset"]);
    expect(pool.heldBytes).toBe(0);
  });

  it("neither stalls nor consumes after the stream is gone", async () => {
    const { stream, reader, consumer } = setUp();
    say(stream, "aaaabb");
    reader.stall();
    stream.drop();
    await settle();
    reader.resume();
    reader.stall();
    reader.handOver(new Consumer(1));
    expect(consumer.messages).toEqual(["aaaa"]);
    expect(consumer.events).toEqual(["closed undefined"]);
  });

  it("needs no consumer to be told that the stream is gone", () => {
    const pool = new SlabPool({ slabBytes: SLAB_BYTES, idleSlabs: 4 });
    const reader = new SlabReader(new FakeStream(), pool, ROOM_BYTES);
    reader.feed(Buffer.from("a"));
    reader.drained();
    reader.ended();
    reader.closed(undefined);
    expect(pool.heldBytes).toBe(0);
  });
});
