import type { ByteStream, StreamReader } from "../../../src/ports/network.ts";
import type { SeededRandom } from "../../simulation/seeded-random.ts";
import { cut } from "../transcript/cut.ts";
import { Finding } from "./fuzz-target.ts";
import type { StepLimit } from "./step-limit.ts";

/** The other end of a FuzzStream. */
export interface FuzzPeer {
  /** Written, though perhaps still on its way. */
  written(bytes: Buffer): void;
  /** Arrived. The bytes are the peer's own. */
  heard(bytes: Buffer): void;
  /** About to be read by the end under test. */
  delivering(bytes: Buffer): void;
  /** The end under test said its last word, or the connection is gone. */
  over(): void;
}

/**
 * One end of a connection whose other end is the fuzzer. Reads are cut anywhere; memory that was written must stay as it is
 * until it has left; memory for a read is asked for ahead, as node:net does it, or not.
 */
export class FuzzStream implements ByteStream {
  readonly peer = "fuzzer";
  readonly peerAddress = undefined;
  readonly #random: SeededRandom;
  readonly #steps: StepLimit;
  readonly #peer: FuzzPeer;
  readonly #lendsAhead: boolean;
  #reader: StreamReader | undefined;
  #lent: Buffer | undefined;
  #lender: StreamReader | undefined;
  #paused = false;
  #inbox: Buffer[] = [];
  #endSaid = false;
  #endTold = false;
  #outbox: { readonly memory: Buffer; readonly copy: Buffer }[] = [];
  #windowBytes = Number.POSITIVE_INFINITY;
  #blocked = false;
  #ended = false;
  #gone = false;
  #closed = false;

  constructor(random: SeededRandom, steps: StepLimit, peer: FuzzPeer) {
    this.#random = random;
    this.#steps = steps;
    this.#peer = peer;
    this.#lendsAhead = random.chance(0.5);
  }

  // What the fuzzer does.

  /** Closed by either side. */
  get gone(): boolean {
    return this.#gone;
  }

  /** The end under test will say nothing more. */
  get over(): boolean {
    return this.#gone || this.#ended;
  }

  get paused(): boolean {
    return this.#paused;
  }

  /** Bytes that were said and not read. */
  get unread(): boolean {
    return this.#inbox.length > 0;
  }

  /** Sends bytes; they are read with the next `deliver`. */
  say(bytes: Buffer): void {
    if (!this.#endSaid && !this.#gone) this.#inbox.push(...cut(bytes, this.#random));
  }

  /** Half-closes. */
  sayEnd(): void {
    this.#endSaid = true;
  }

  /** Breaks the connection. */
  break(): void {
    this.#leave(new Error("read ECONNRESET"));
  }

  /** Takes that many more bytes only. */
  takeOnly(bytes: number): void {
    this.#windowBytes = bytes;
  }

  takeAll(): void {
    this.#windowBytes = Number.POSITIVE_INFINITY;
    this.#push();
  }

  /** Lets the end under test read what was said, one read or all; tells whether there was anything. */
  deliver(all: boolean): boolean {
    let delivered = false;
    while (this.#readable() && this.#inbox.length > 0) {
      this.#deliverOne();
      delivered = true;
      if (!all) return true;
    }
    if (this.#readable() && this.#endSaid && !this.#endTold) {
      this.#endTold = true;
      this.#reader?.ended();
      this.#closeIfBothEnded();
      return true;
    }
    return delivered;
  }

  // What the end under test does.

  start(reader: StreamReader): void {
    this.#steps.step();
    this.#reader = reader;
    this.#paused = false;
    if (this.#gone) queueMicrotask(() => this.#tellClosed(undefined));
  }

  pause(): void {
    this.#steps.step();
    this.#paused = true;
  }

  resume(): void {
    this.#steps.step();
    this.#paused = false;
  }

  write(chunks: readonly Buffer[]): boolean {
    this.#steps.step();
    if (this.#gone || this.#ended) return true;
    for (const chunk of chunks) {
      const copy = Buffer.from(chunk);
      this.#peer.written(copy);
      this.#outbox.push({ memory: chunk, copy });
    }
    this.#push();
    this.#blocked = this.#outbox.length > 0;
    return !this.#blocked;
  }

  putOff(step: () => void): void {
    queueMicrotask(step);
  }

  end(): void {
    this.#steps.step();
    if (this.#ended) return;
    this.#ended = true;
    this.#push();
  }

  destroy(): void {
    this.#steps.step();
    this.#leave(undefined);
  }

  reset(): void {
    this.destroy();
  }

  #readable(): boolean {
    return this.#reader !== undefined && !this.#paused && !this.#gone;
  }

  #deliverOne(): void {
    const piece = this.#inbox[0] as Buffer;
    const reader = this.#reader as StreamReader;
    const room = this.#lent !== undefined && this.#lender === reader ? this.#lent : this.#lend(reader);
    const count = Math.min(piece.length, room.length);
    const bytes = piece.subarray(0, count);
    if (count === piece.length) this.#inbox.shift();
    else this.#inbox[0] = piece.subarray(count);
    bytes.copy(room);
    this.#lent = undefined;
    this.#peer.delivering(bytes);
    reader.received(count);
    if (this.#lendsAhead && !this.#gone && this.#reader !== undefined) {
      this.#lender = this.#reader;
      this.#lent = this.#lend(this.#reader);
    }
  }

  #lend(reader: StreamReader): Buffer {
    this.#steps.step();
    const room = reader.buffer();
    if (room.length === 0) throw new Finding("lent no memory");
    return room;
  }

  #push(): void {
    while (this.#outbox.length > 0 && this.#windowBytes > 0) {
      const { memory, copy } = this.#outbox[0] as { memory: Buffer; copy: Buffer };
      if (!memory.equals(copy)) throw new Finding("memory changed before it had left");
      const count = Math.min(memory.length, this.#windowBytes);
      this.#windowBytes -= count;
      if (count === memory.length) this.#outbox.shift();
      else this.#outbox[0] = { memory: memory.subarray(count), copy: copy.subarray(count) };
      this.#peer.heard(copy.subarray(0, count));
    }
    if (this.#outbox.length > 0) return;
    if (this.#blocked) {
      this.#blocked = false;
      queueMicrotask(() => {
        if (!this.#gone && !this.#blocked) this.#reader?.drained();
      });
    }
    if (this.#ended) {
      this.#peer.over();
      this.#closeIfBothEnded();
    }
  }

  #closeIfBothEnded(): void {
    if (this.#ended && this.#endTold && this.#outbox.length === 0) this.#leave(undefined);
  }

  #leave(error: Error | undefined): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#inbox = [];
    this.#outbox = [];
    this.#peer.over();
    queueMicrotask(() => this.#tellClosed(error));
  }

  #tellClosed(error: Error | undefined): void {
    if (this.#closed || this.#reader === undefined) return;
    this.#closed = true;
    this.#reader.closed(error);
  }
}
