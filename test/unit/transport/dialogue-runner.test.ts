import assert from "node:assert";
import { describe, expect, it } from "vitest";

import { type Dialogue, read, skip, wait, write } from "../../../src/protocol/dialogue.ts";
import { ProtocolViolation } from "../../../src/protocol/protocol-violation.ts";
import { ConnectionLost } from "../../../src/transport/connection-lost.ts";
import { DialogueRunner } from "../../../src/transport/dialogue-runner.ts";
import { SlabPool } from "../../../src/transport/slab-pool.ts";
import { type SlabConsumer, SlabReader } from "../../../src/transport/slab-reader.ts";
import { everyCut } from "../support/cuts.ts";
import { FakeStream } from "../support/fake-stream.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { settle } from "../support/settle.ts";

const SLAB_BYTES = 4096;
const ROOM_BYTES = 256;
const DEADLINE_MS = 10_000;

/** Runs a dialogue over a stream on which the test speaks. What follows the dialogue goes to `rest`. */
function run<Result>(dialogue: Dialogue<Result>) {
  const stream = new FakeStream();
  const clock = new ManualClock();
  const pool = new SlabPool({ slabBytes: SLAB_BYTES, idleSlabs: 1 });
  const reader = new SlabReader(stream, pool, ROOM_BYTES);
  const results: Result[] = [];
  const errors: Error[] = [];
  const rest: string[] = [];
  const next: SlabConsumer = {
    consume: (slab, start, end) => {
      rest.push(slab.buffer.toString("latin1", start, end));
      return end;
    },
    violated: () => undefined,
    drained: () => undefined,
    ended: () => undefined,
    closed: () => undefined,
  };
  const runner = new DialogueRunner<Result>({
    stream,
    reader,
    dialogue,
    clock,
    deadlineMs: DEADLINE_MS,
    done: (result) => {
      results.push(result);
      reader.handOver(next);
    },
    failed: (error) => errors.push(error),
  });
  const begin = (): void => {
    runner.begin();
    stream.start(reader);
  };
  return { stream, clock, pool, reader, runner, results, errors, rest, begin };
}

function* conversation(): Dialogue<string> {
  yield* write(Buffer.from("name?"));
  const name = yield* read(4);
  yield* skip(3);
  yield* read(0);
  yield* skip(0);
  yield* write(Buffer.from("age?"));
  return `${name.toString()} ${(yield* read(2)).toString()}`;
}

/** Something to wait for, which the test settles. */
function waiting() {
  let resolve = (_value: string): void => undefined;
  let reject = (_error: unknown): void => undefined;
  const promise = new Promise<string>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}

describe("DialogueRunner", () => {
  it("says, hears and skips, however the bytes arrive, and leaves the rest to the next consumer", () => {
    for (const pieces of everyCut(Buffer.from("anna---42 and more"))) {
      const { stream, results, errors, rest, clock, begin } = run(conversation());
      begin();
      expect(stream.listen().toString()).toBe("name?");
      for (const piece of pieces) stream.say(piece);
      expect(stream.listen().toString()).toBe("age?");
      expect(results).toEqual(["anna 42"]);
      expect(rest.join("")).toBe(" and more");
      expect(errors).toEqual([]);
      expect(clock.pending).toBe(0);
    }
  });

  it("says nothing before it begins", () => {
    const { stream } = run(conversation());
    expect(stream.writes).toEqual([]);
  });

  it("hands out bytes that later reads do not change", () => {
    const seen: Buffer[] = [];
    function* keeping(): Dialogue<void> {
      for (;;) seen.push(yield* read(ROOM_BYTES));
    }
    const { stream, begin } = run(keeping());
    begin();
    for (let count = 0; count < 64; count += 1) stream.say(Buffer.alloc(ROOM_BYTES, count));
    expect(seen.map((bytes) => bytes[0])).toEqual(Array.from({ length: 64 }, (_, index) => index));
  });

  it("can end without having read anything", () => {
    function* terse(): Dialogue<string> {
      yield* write(Buffer.from("bye"));
      return "said";
    }
    const { results, rest, stream, begin } = run(terse());
    begin();
    stream.say(Buffer.from("x"));
    expect([results, rest]).toEqual([["said"], ["x"]]);
  });

  it("ends a dialogue that takes too long, to the millisecond", () => {
    const { stream, clock, errors, results, begin } = run(conversation());
    begin();
    stream.say(Buffer.from("ann"));
    clock.advance(DEADLINE_MS - 1);
    expect(errors).toEqual([]);
    clock.advance(1);
    expect(errors).toEqual([new ConnectionLost("no complete handshake within 10 s")]);
    stream.say(Buffer.from("a---42"));
    expect(results).toEqual([]);
  });

  it("is not impressed by a byte now and then", () => {
    const { stream, clock, errors, begin } = run(conversation());
    begin();
    for (let second = 0; second < 9; second += 1) {
      stream.say(Buffer.from("a").subarray(0, second < 8 ? 1 : 0));
      clock.advance(1000);
    }
    expect(errors).toEqual([]);
    clock.advance(1000);
    expect(errors).toHaveLength(1);
  });

  it("reports a stream that ends or breaks, once", async () => {
    const ended = run(conversation());
    ended.begin();
    ended.stream.sayEnd();
    await settle();
    ended.stream.drop(new Error("reset"));
    await settle();
    expect(ended.errors).toEqual([new ConnectionLost("the connection ended during the handshake")]);

    const broken = run(conversation());
    broken.begin();
    const cause = new Error("reset");
    broken.stream.drop(cause);
    await settle();
    expect(broken.errors).toEqual([new ConnectionLost("the connection was lost during the handshake")]);
    expect(broken.errors[0]?.cause).toBe(cause);
    expect(broken.clock.pending).toBe(0);
  });

  it("reports what the dialogue throws, after what it wrote last", () => {
    function* refusing(): Dialogue<void> {
      yield* read(1);
      yield* write(Buffer.from("no"));
      throw new ProtocolViolation("not like that");
    }
    const { stream, errors, clock, begin } = run(refusing());
    begin();
    stream.say(Buffer.from("xyz"));
    expect(errors).toEqual([new ProtocolViolation("not like that")]);
    expect([stream.heard.toString(), stream.destroyed, clock.pending]).toEqual(["no", false, 0]);
  });

  it("lets our own assertions through", () => {
    // oxlint-disable-next-line require-yield
    function* wrong(): Dialogue<void> {
      assert(false, "our own mistake");
    }
    const { errors, begin } = run(wrong());
    expect(begin).toThrow("our own mistake");
    expect(errors).toEqual([]);
  });

  it("makes an error of whatever else is thrown", () => {
    // oxlint-disable-next-line require-yield
    function* odd(): Dialogue<void> {
      // oxlint-disable-next-line typescript/only-throw-error
      throw "a string";
    }
    const { errors, begin } = run(odd());
    begin();
    expect(errors.map(({ message }) => message)).toEqual(["a string"]);
  });

  it("passes on a violation that somebody else found", () => {
    const { runner, errors, begin } = run(conversation());
    begin();
    runner.violated(new ProtocolViolation("seen elsewhere"));
    runner.drained();
    expect(errors).toEqual([new ProtocolViolation("seen elsewhere")]);
  });

  it("tells nobody when it is aborted", () => {
    const { runner, stream, clock, errors, results, begin } = run(conversation());
    begin();
    runner.abort();
    stream.say(Buffer.from("anna---42"));
    clock.advance(DEADLINE_MS);
    expect([errors, results, clock.pending]).toEqual([[], [], 0]);
  });
});

describe("DialogueRunner that waits", () => {
  function* patient(promise: Promise<string>): Dialogue<string> {
    const asked = yield* read(1);
    let found: string;
    try {
      found = yield* wait(promise);
    } catch (error) {
      found = `caught ${(error as Error).message}`;
    }
    return `${asked.toString()} ${found} ${(yield* read(1)).toString()}`;
  }

  it("goes on with what it waited for, then with what arrived meanwhile", async () => {
    const { promise, resolve } = waiting();
    const { stream, results, rest, begin } = run(patient(promise));
    begin();
    stream.say(Buffer.from("ab"));
    stream.say(Buffer.from("c"));
    await settle();
    expect(results).toEqual([]);
    resolve("found");
    await settle();
    expect(results).toEqual(["a found b"]);
    expect(rest).toEqual(["c"]);
  });

  it("reads next to nothing during the wait, however much is sent", async () => {
    const { promise, resolve } = waiting();
    const { stream, pool, results, begin } = run(patient(promise));
    begin();
    stream.say(Buffer.from("a"));
    for (let count = 0; count < 100; count += 1) stream.say(Buffer.alloc(SLAB_BYTES, "b"));
    await settle();
    expect(stream.unreadBytes).toBe(100 * SLAB_BYTES);
    expect(pool.heldBytes).toBe(SLAB_BYTES);
    resolve("found");
    await settle();
    expect(results).toEqual(["a found b"]);
    expect(stream.unreadBytes).toBe(0);
  });

  it("throws a rejection into the dialogue", async () => {
    const { promise, reject } = waiting();
    const { stream, results, begin } = run(patient(promise));
    begin();
    stream.say(Buffer.from("ab"));
    reject(new Error("trouble"));
    await settle();
    expect(results).toEqual(["a caught trouble b"]);
  });

  it("makes an error of a rejection that is none", async () => {
    const { promise, reject } = waiting();
    const { stream, results, begin } = run(patient(promise));
    begin();
    stream.say(Buffer.from("ab"));
    reject("odd");
    await settle();
    expect(results).toEqual(["a caught odd b"]);
  });

  it("can wait twice in a row", async () => {
    const [one, other] = [waiting(), waiting()];
    function* twice(): Dialogue<string> {
      return `${yield* wait(one.promise)} ${yield* wait(other.promise)}`;
    }
    const { reader, results, begin } = run(twice());
    begin();
    one.resolve("one");
    await settle();
    expect([results, reader.stalled]).toEqual([[], true]);
    other.resolve("other");
    await settle();
    expect([results, reader.stalled]).toEqual([["one other"], false]);
  });

  it("waits no longer than the deadline, and ignores what comes then", async () => {
    const { promise, resolve } = waiting();
    const { stream, clock, errors, results, begin } = run(patient(promise));
    begin();
    stream.say(Buffer.from("ab"));
    clock.advance(DEADLINE_MS);
    resolve("too late");
    await settle();
    expect(errors).toHaveLength(1);
    expect(results).toEqual([]);
  });

  it("notices a lost connection while it waits", async () => {
    const { promise, resolve } = waiting();
    const { stream, errors, results, begin } = run(patient(promise));
    begin();
    stream.say(Buffer.from("a"));
    stream.drop();
    await settle();
    resolve("too late");
    await settle();
    expect(errors).toEqual([new ConnectionLost("the connection was lost during the handshake")]);
    expect(results).toEqual([]);
  });
});
