import assert from "node:assert";
import type { ByteStream, StreamReader } from "../ports/network.ts";
import { ProtocolViolation } from "../protocol/protocol-violation.ts";
import type { Slab } from "./slab.ts";
import type { SlabPool } from "./slab-pool.ts";

/** Who makes sense of the bytes that a SlabReader collects. */
export interface SlabConsumer {
  /**
   * Bytes [start, end) are there. Returns up to where they were understood; the rest comes again when there is more, in
   * one piece with it. A thrown ProtocolViolation becomes `violated`.
   */
  consume(slab: Slab, start: number, end: number): number;
  violated(violation: ProtocolViolation): void;
  /** As in StreamReader. */
  drained(): void;
  ended(): void;
  closed(error: Error | undefined): void;
}

/**
 * Reads a stream into slabs, so that messages can be used where they arrived. What a consumer left over is kept in front of
 * what comes next, in one piece. A consumer that can't go on stalls the reader.
 */
export class SlabReader implements StreamReader {
  readonly #stream: ByteStream;
  readonly #pool: SlabPool;
  readonly #readRoomBytes: number;
  #consumer: SlabConsumer | undefined;
  #slab: Slab | undefined;
  /** Received and not yet consumed: [start, end) of the slab. */
  #start = 0;
  #end = 0;
  /** Lent instead of a slab while stalled, when nobody knows yet where the rest of the slab will end. */
  #scratch: Buffer | undefined;
  #scratchIsLent = false;
  #stalled = false;
  #consuming = false;
  /** There is a reason to consume once more. */
  #again = false;
  #closed = false;

  /** A read gets at least `readRoomBytes` of room, unless the reader was stalled before it. */
  constructor(stream: ByteStream, pool: SlabPool, readRoomBytes: number) {
    this.#stream = stream;
    this.#pool = pool;
    this.#readRoomBytes = readRoomBytes;
  }

  get stalled(): boolean {
    return this.#stalled;
  }

  /** Gives what is not yet consumed, and everything after, to this consumer. To be called before the stream is started. */
  handOver(consumer: SlabConsumer): void {
    this.#consumer = consumer;
    this.#consumeAll();
  }

  /** Reads no more and consumes no more until `resume`. May be called while consuming. */
  stall(): void {
    if (this.#stalled || this.#closed) return;
    this.#stalled = true;
    this.#stream.pause();
  }

  /** Goes on with what was left, then with reading. */
  resume(): void {
    if (!this.#stalled || this.#closed) return;
    this.#stalled = false;
    this.#consumeAll();
    if (!this.#stalled) this.#stream.resume();
  }

  /** Takes bytes that arrived before the stream was read into slabs; less than `readRoomBytes`. */
  feed(bytes: Buffer): void {
    this.#append(bytes);
    this.#consumeAll();
  }

  buffer(): Buffer {
    this.#scratchIsLent = this.#stalled;
    if (this.#stalled) {
      this.#scratch ??= Buffer.allocUnsafeSlow(this.#readRoomBytes);
      return this.#scratch;
    }
    const slab = this.#roomySlab();
    return slab.buffer.subarray(this.#end);
  }

  received(count: number): void {
    if (this.#scratchIsLent && this.#scratch !== undefined) this.#append(this.#scratch.subarray(0, count));
    else this.#end += count;
    this.#consumeAll();
  }

  drained(): void {
    this.#consumer?.drained();
  }

  ended(): void {
    this.#consumer?.ended();
  }

  closed(error: Error | undefined): void {
    this.#closed = true;
    this.#slab?.release();
    this.#slab = undefined;
    this.#consumer?.closed(error);
  }

  #append(bytes: Buffer): void {
    const slab = this.#roomySlab();
    bytes.copy(slab.buffer, this.#end);
    this.#end += bytes.length;
  }

  /** The slab to receive into; when the one in use is nearly full, a fresh one that begins with what was left over. */
  #roomySlab(): Slab {
    const full = this.#slab;
    if (full !== undefined && full.buffer.length - this.#end >= this.#readRoomBytes) return full;
    const fresh = this.#pool.take();
    const rest = this.#end - this.#start;
    assert(rest + this.#readRoomBytes <= fresh.buffer.length, "a consumer left too much");
    full?.buffer.copy(fresh.buffer, 0, this.#start, this.#end);
    full?.release();
    this.#start = 0;
    this.#end = rest;
    this.#slab = fresh;
    return fresh;
  }

  #consumeAll(): void {
    this.#again = true;
    // A consumer that hands over or resumes while it consumes is served by the loop that is already running.
    if (this.#consuming) return;
    this.#consuming = true;
    try {
      while (this.#again) {
        this.#again = false;
        const consumer = this.#consumer;
        if (consumer === undefined || this.#stalled || this.#slab === undefined || this.#start === this.#end) continue;
        this.#start = consumer.consume(this.#slab, this.#start, this.#end);
      }
    } catch (error) {
      if (!(error instanceof ProtocolViolation)) throw error;
      this.#start = this.#end;
      this.#consumer?.violated(error);
    } finally {
      this.#consuming = false;
    }
  }
}
