import type { ByteStream } from "../ports/network.ts";
import { Slab } from "./slab.ts";

/** Neighbours in one slab that leave as one chunk; the slab was retained once for each of them. */
interface Run {
  readonly slab: Slab;
  readonly start: number;
  end: number;
  retains: number;
}

/** Who is told what has left. */
export interface WriterOwner {
  /** A batch of so many bytes could not leave at once: the other side is slow to read. */
  batchWaits(bytes: number): void;
  /** A batch has left: the sum and the number of the charges that were made to it. */
  batchLeft(chargedBytes: number, charges: number): void;
}

/** What leaves with one write, and what was charged to it. */
class Batch {
  readonly runs: Run[] = [];
  bytes = 0;
  chargedBytes = 0;
  charges = 0;

  append(slab: Slab, start: number, end: number): void {
    slab.retain();
    this.bytes += end - start;
    const last = this.runs.at(-1);
    if (last !== undefined && last.slab === slab && last.end === start) {
      last.end = end;
      last.retains += 1;
    } else {
      this.runs.push({ slab, start, end, retains: 1 });
    }
  }

  release(): void {
    for (const run of this.runs) for (let count = run.retains; count > 0; count -= 1) run.slab.release();
  }
}

/**
 * Sends everything that one turn appended with one system call, and merges what lies side by side in
 * one slab, so that a burst of messages patched in place leaves as a single chunk. While a write is under way, the next
 * batch gathers.
 */
export class BatchedWriter {
  readonly #stream: ByteStream;
  readonly #owner: WriterOwner;
  #gathering = new Batch();
  #leaving: Batch | undefined;
  #batchesBegun = 0;
  #scheduled = false;
  #ending = false;
  #closed = false;

  constructor(stream: ByteStream, owner: WriterOwner) {
    this.#stream = stream;
    this.#owner = owner;
  }

  /** The number of the batch that gathers now; what is appended next leaves with it, or already has its number. */
  get batches(): number {
    return this.#batchesBegun + 1;
  }

  /** How many batches were handed to the stream. */
  get batchesBegun(): number {
    return this.#batchesBegun;
  }

  /** Bytes that were appended and have not left. */
  get backlogBytes(): number {
    return this.#gathering.bytes + (this.#leaving?.bytes ?? 0);
  }

  /** Sends [start, end) of a slab, which is retained until it has left. */
  append(slab: Slab, start: number, end: number): void {
    if (this.#closed || start === end) return;
    this.#gathering.append(slab, start, end);
    this.#flushSoon();
  }

  /** Sends bytes that must not change any more. */
  appendBytes(bytes: Buffer): void {
    this.append(new Slab(bytes), 0, bytes.length);
  }

  /** Has the owner told when what was appended so far has left, or was dropped because the stream is gone. */
  charge(bytes: number): void {
    if (this.#closed) {
      this.#owner.batchLeft(bytes, 1);
      return;
    }
    this.#gathering.chargedBytes += bytes;
    this.#gathering.charges += 1;
    this.#flushSoon();
  }

  /** Half-closes the stream as soon as everything that was appended has left. */
  end(): void {
    this.#ending = true;
    this.#flushSoon();
  }

  /** To be called when the stream has drained. */
  drained(): void {
    this.#left();
    this.#flush();
  }

  /** To be called when the stream is gone: lets go of everything. */
  closed(): void {
    this.#closed = true;
    this.#left();
    this.#leaving = this.#gathering;
    this.#gathering = new Batch();
    this.#left();
  }

  #flushSoon(): void {
    if (this.#scheduled || this.#leaving !== undefined) return;
    this.#scheduled = true;
    this.#stream.putOff(this.#flush);
  }

  readonly #flush = (): void => {
    this.#scheduled = false;
    if (this.#closed || this.#leaving !== undefined) return;
    const batch = this.#gathering;
    if (batch.bytes > 0 || batch.charges > 0) {
      this.#gathering = new Batch();
      this.#leaving = batch;
      this.#batchesBegun += 1;
      const chunks = batch.runs.map((run) => run.slab.buffer.subarray(run.start, run.end));
      if (chunks.length === 0 || this.#stream.write(chunks)) this.#left();
      else this.#owner.batchWaits(batch.bytes);
    }
    if (!this.#ending || this.backlogBytes > 0) return;
    this.#ending = false;
    this.#stream.end();
  };

  #left(): void {
    const batch = this.#leaving;
    if (batch === undefined) return;
    this.#leaving = undefined;
    batch.release();
    if (batch.charges > 0) this.#owner.batchLeft(batch.chargedBytes, batch.charges);
  }
}
