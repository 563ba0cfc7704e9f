import fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { ChunkError } from "../../../src/protocol/chunk-error.ts";
import { ReplyDecoder, type ReplySink } from "../../../src/protocol/reply-decoder.ts";
import { RequestDecoder, type RequestSink } from "../../../src/protocol/request-decoder.ts";
import type { RequestHeader } from "../../../src/protocol/request-header.ts";
import type { Slab } from "../../../src/transport/slab.ts";
import { SlabPool } from "../../../src/transport/slab-pool.ts";
import { type SlabConsumer, SlabReader } from "../../../src/transport/slab-reader.ts";
import { Slice } from "../../../src/transport/slice.ts";
import { cutInto, everyCut } from "../support/cuts.ts";
import { FakeStream } from "../support/fake-stream.ts";
import {
  dataChunkBytes,
  doneBytes,
  errorChunkBytes,
  holeChunkBytes,
  parseReplies,
  parseRequests,
  parseStructured,
  replyBytes,
  requestBytes,
  statusChunkBytes,
} from "../support/naive-codec.ts";

// Slabs that hold hardly more than one header, so that payloads lie in many of them. The errors here fit in as well.
const TINY = { slabBytes: 48, idleSlabs: 2, poison: true };
const ROOM_BYTES = 16;

/** Keeps every payload in the slabs in which it arrived and reads it only at the very end. */
abstract class Keeper implements SlabConsumer {
  readonly kept: { readonly head: object; readonly slices: Slice[] }[] = [];
  violations = 0;

  abstract consume(slab: Slab, start: number, end: number): number;

  violated(): void {
    this.violations += 1;
  }

  drained(): void {}
  ended(): void {}
  closed(): void {}

  keep(slab: Slab, start: number, end: number): void {
    slab.retain();
    this.kept.at(-1)?.slices.push(new Slice(slab, start, end, 0));
  }

  /** The messages with the bytes of their payloads; lets go of the slabs. */
  messages(): object[] {
    return this.kept.map(({ head, slices }) => {
      const payload = Buffer.concat(slices.map((slice) => slice.bytes()));
      for (const { slab } of slices) slab.release();
      return { ...head, payload };
    });
  }
}

class RequestKeeper extends Keeper implements RequestSink<Slab> {
  readonly #decoder = new RequestDecoder<Slab>(this);

  consume(slab: Slab, start: number, end: number): number {
    return this.#decoder.decode(slab, start, end);
  }

  request(header: Readonly<RequestHeader>): boolean {
    const { command, flags, length, offset } = header;
    const cookie = (BigInt(header.cookieHigh) << 32n) | BigInt(header.cookieLow);
    this.kept.push({ head: { command, flags, cookie, offset: BigInt(offset), length }, slices: [] });
    return true;
  }

  payload(slab: Slab, start: number, end: number): void {
    this.keep(slab, start, end);
  }

  requestEnd(): void {}
}

class ReplyKeeper extends Keeper implements ReplySink<Slab> {
  readonly #decoder: ReplyDecoder<Slab>;
  readonly #structured: boolean;

  constructor(structured = false) {
    super();
    this.#structured = structured;
    this.#decoder = new ReplyDecoder<Slab>(this, structured);
  }

  consume(slab: Slab, start: number, end: number): number {
    return this.#decoder.decode(slab, start, end);
  }

  reply(error: number, cookieHigh: number, cookieLow: number): number {
    this.kept.push({ head: { error, cookie: (BigInt(cookieHigh) << 32n) | BigInt(cookieLow) }, slices: [] });
    return error === 0 && !this.#structured ? cookieLow : 0;
  }

  chunk(cookieHigh: number, cookieLow: number, done: boolean): void {
    this.kept.push({ head: { cookie: (BigInt(cookieHigh) << 32n) | BigInt(cookieLow), done }, slices: [] });
  }

  dataChunk(offset: number): void {
    this.#add({ offset });
  }

  holeChunk(offset: number, length: number): void {
    this.#add({ offset, length });
  }

  statusChunk(id: number): void {
    this.#add({ id });
  }

  errorChunk({ error, text }: ChunkError): void {
    this.#add({ error, text });
  }

  data(slab: Slab, start: number, end: number): void {
    this.keep(slab, start, end);
  }

  extents(slab: Slab, start: number, end: number): void {
    this.keep(slab, start, end);
  }

  #add(content: object): void {
    const kept = this.kept.pop();
    if (kept !== undefined) this.kept.push({ head: { ...kept.head, ...content }, slices: kept.slices });
  }

  replyEnd(): void {}
}

function read(keeper: Keeper, pieces: readonly Buffer[], readBytes = Number.POSITIVE_INFINITY) {
  const stream = new FakeStream();
  stream.readBytes = readBytes;
  const pool = new SlabPool(TINY);
  const reader = new SlabReader(stream, pool, ROOM_BYTES);
  reader.handOver(keeper);
  stream.start(reader);
  for (const piece of pieces) stream.say(piece);
  const messages = keeper.messages();
  reader.closed(undefined);
  expect(pool.heldBytes, "memory that nobody needs").toBe(0);
  return messages;
}

const payloads = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes));
const cuts = fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 1 });

describe("a decoder behind a SlabReader with tiny slabs", () => {
  it("finds a WRITE whose payload spans many slabs, wherever it is cut", () => {
    const payload = Buffer.from(Array.from({ length: 150 }, (_, index) => index));
    const bytes = Buffer.concat([requestBytes({ command: 1, cookie: 7n, payload }), requestBytes({ command: 3 })]);
    const expected = parseRequests(bytes).requests;
    for (const pieces of everyCut(bytes)) expect(read(new RequestKeeper(), pieces)).toEqual(expected);
  });

  it("finds a reply whose data spans many slabs, wherever it is cut", () => {
    const data = Buffer.from(Array.from({ length: 150 }, (_, index) => index));
    const bytes = Buffer.concat([replyBytes({ cookie: 150n, data }), replyBytes({ error: 5, cookie: 9n })]);
    const expected = [
      { error: 0, cookie: 150n, payload: data },
      { error: 5, cookie: 9n, payload: Buffer.alloc(0) },
    ];
    for (const pieces of everyCut(bytes)) expect(read(new ReplyKeeper(), pieces)).toEqual(expected);
  });

  it("agrees with a naive codec about any requests", () => {
    const request = fc.record({
      command: fc.constantFrom(0, 1, 1, 3, 6),
      cookie: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
      offset: fc.maxSafeNat(),
      payload: payloads,
    });
    fc.assert(
      fc.property(fc.array(request, { maxLength: 8 }), cuts, fc.integer({ min: 1, max: 64 }), (made, lengths, most) => {
        const bytes = Buffer.concat(
          made.map((fields) => requestBytes(fields.command === 1 ? fields : { ...fields, payload: Buffer.alloc(0) })),
        );
        expect(read(new RequestKeeper(), cutInto(bytes, lengths), most)).toEqual(parseRequests(bytes).requests);
      }),
      { numRuns: 300 },
    );
  });

  it("agrees with a naive codec about any replies", () => {
    const reply = fc.record({ error: fc.constantFrom(0, 0, 0, 5), high: fc.nat(0xffff_ffff), data: payloads });
    fc.assert(
      fc.property(fc.array(reply, { maxLength: 8 }), cuts, (made, lengths) => {
        const bytes = Buffer.concat(
          made.map(({ error, high, data }) => {
            const cookie = (BigInt(high) << 32n) | BigInt(data.length);
            return replyBytes({ error, cookie, data: error === 0 ? data : Buffer.alloc(0) });
          }),
        );
        const naive = parseReplies(bytes, (cookie) => Number(cookie & 0xffff_ffffn)).replies;
        const expected = naive.map(({ data, ...head }) => ({ ...head, payload: data }));
        expect(read(new ReplyKeeper(), cutInto(bytes, lengths))).toEqual(expected);
      }),
      { numRuns: 300 },
    );
  });

  it("finds chunks whose data and extents span many slabs, wherever they are cut", () => {
    const data = Buffer.from(Array.from({ length: 150 }, (_, index) => index));
    const extents = Array.from({ length: 15 }, (_, index) => [512 * (index + 1), index % 4] as const);
    const bytes = Buffer.concat([
      dataChunkBytes({ cookie: 1n, done: false, offset: 4096, data }),
      holeChunkBytes({ cookie: 1n, done: false, offset: 8192, length: 512 }),
      statusChunkBytes({ cookie: 2n, id: 9, extents }),
      errorChunkBytes({ cookie: 3n, error: 5, text: "no" }),
      doneBytes(1n),
      replyBytes({ cookie: 4n }),
    ]);
    const status = parseStructured(bytes).messages[2];
    if (status === undefined || !("payload" in status)) throw new Error("the naive codec sees it otherwise");
    const none = Buffer.alloc(0);
    const expected = [
      { cookie: 1n, done: false, offset: 4096, payload: data },
      { cookie: 1n, done: false, offset: 8192, length: 512, payload: none },
      { cookie: 2n, done: true, id: 9, payload: status.payload.subarray(4) },
      { cookie: 3n, done: true, error: 5, text: "no", payload: none },
      { cookie: 1n, done: true, payload: none },
      { error: 0, cookie: 4n, payload: none },
    ];
    for (const pieces of everyCut(bytes)) expect(read(new ReplyKeeper(true), pieces)).toEqual(expected);
  });

  it("reports a violation once and goes on reading without understanding", () => {
    const keeper = new RequestKeeper();
    read(keeper, [Buffer.alloc(28), Buffer.alloc(5)]);
    expect(keeper.violations).toBe(1);
    expect(keeper.kept).toEqual([]);
  });
});
