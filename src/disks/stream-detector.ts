import { SequentialStream } from "./sequential-stream.ts";

/** Streams that are followed at once. */
const STREAMS = 8;
/** Ends of reads that are remembered, to recognise the read that goes on from there. */
const CANDIDATES = 32;
/** A stream is alive, and has its share of the memory, when one of the last so many reads was its own. */
const ALIVE_READS = 32;
/** A stream keeps its place for so many reads of others: ten streams in turn must not push each other out. */
const PLACE_READS = 2 * STREAMS;
/** What was fetched for a stream is left alone for so many reads of others. */
const PATIENCE_READS = 4;
/** Guesses in a row that may be wrong. */
const CREDIT = 8;

/** Tells sequential readers from all the rest, by the offsets and lengths of reads alone. */
export class StreamDetector {
  readonly #forgotten: (stream: SequentialStream) => void;
  readonly #candidates = new Float64Array(CANDIDATES).fill(-1);
  #nextCandidate = 0;
  readonly #streams: SequentialStream[] = [];
  #reads = 0;
  #credit = CREDIT;

  /** `forgotten` is told when a stream is no longer followed. */
  constructor(forgotten: (stream: SequentialStream) => void) {
    this.#forgotten = forgotten;
  }

  get streams(): readonly SequentialStream[] {
    return this.#streams;
  }

  /** How many streams share the memory; at least 1. */
  get alive(): number {
    let count = 0;
    for (const stream of this.#streams) {
      if (stream.proven && this.#reads - stream.lastRead <= ALIVE_READS) count += 1;
    }
    return Math.max(1, count);
  }

  /** Takes note of a read, which moves the stream that it goes on with. Undefined when it does not go on with any. */
  observe(offset: number, length: number): SequentialStream | undefined {
    this.#reads += 1;
    for (const stream of this.#streams) {
      if (stream.nextOffset !== offset) continue;
      stream.advance(length, this.#reads);
      if (!stream.proven) this.#reward();
      stream.proven = true;
      return stream;
    }
    const candidate = this.#candidates.indexOf(offset);
    if (candidate < 0) return undefined;
    this.#candidates[candidate] = -1;
    this.#reward();
    const stream = this.#begin(offset, length, true);
    if (stream === undefined) this.remember(offset + length);
    return stream;
  }

  /** The read that was just observed goes on with nothing, but the next one may go on with it. */
  remember(endOffset: number): void {
    this.#candidates[this.#nextCandidate] = endOffset;
    this.#nextCandidate = (this.#nextCandidate + 1) % CANDIDATES;
  }

  /**
   * Takes the read that was just observed for the beginning of a stream. Undefined when too many such guesses were wrong:
   * each costs a credit, each read that goes on where an unknown one ended gives two back.
   */
  guess(offset: number, length: number): SequentialStream | undefined {
    if (this.#credit === 0) return undefined;
    const stream = this.#begin(offset, length, false);
    if (stream !== undefined) this.#credit -= 1;
    return stream;
  }

  /** The stream whose memory another one may take; undefined when all of it may still be needed. */
  victim(taker: SequentialStream): SequentialStream | undefined {
    let found: SequentialStream | undefined;
    for (const stream of this.#streams) {
      const needed = stream.proven && this.#reads - stream.lastRead < PATIENCE_READS;
      if (stream === taker || stream.heldBytes === 0 || needed) continue;
      if (found === undefined || stream.lastRead < found.lastRead) found = stream;
    }
    return found;
  }

  #reward(): void {
    this.#credit = Math.min(CREDIT, this.#credit + 2);
  }

  /** Follows one more stream, in the place of one that is of no use any more. */
  #begin(offset: number, length: number, proven: boolean): SequentialStream | undefined {
    if (this.#streams.length >= STREAMS && !this.#makeRoom()) return undefined;
    const stream = new SequentialStream(offset, length, this.#reads, proven);
    this.#streams.push(stream);
    return stream;
  }

  #makeRoom(): boolean {
    let oldest = -1;
    let oldestRead = Infinity;
    for (const [index, stream] of this.#streams.entries()) {
      // A guess goes before every proven stream.
      const lastRead = stream.proven ? stream.lastRead : stream.lastRead - this.#reads - 1;
      if (lastRead >= oldestRead) continue;
      oldest = index;
      oldestRead = lastRead;
    }
    const stream = this.#streams[oldest];
    if (stream === undefined || (stream.proven && this.#reads - stream.lastRead <= PLACE_READS)) return false;
    this.#streams.splice(oldest, 1);
    if (!stream.proven) this.remember(stream.nextOffset);
    stream.forgotten = true;
    this.#forgotten(stream);
    return true;
  }
}
