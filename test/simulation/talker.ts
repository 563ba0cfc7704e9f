import type { ByteStream, StreamReader } from "../../src/ports/network.ts";

/**
 * A conversation as a generator: it yields how many bytes it needs next, at least one, and gets them. They are good until
 * the next yield.
 */
export type Talk = Generator<number, void, Buffer>;

/** Who is told how a conversation ends. */
export interface TalkOwner {
  /** The other side half-closed. */
  ended(): void;
  /** The connection is gone; called once. */
  closed(): void;
}

const FIRST_BYTES = 2048;
const NOTHING = Buffer.alloc(0);

/** Drives one side of a conversation over a stream, with plain copies and no cleverness. */
export class Talker implements StreamReader {
  readonly #stream: ByteStream;
  readonly #talk: Talk;
  readonly #owner: TalkOwner;
  #bytes = Buffer.allocUnsafe(FIRST_BYTES);
  #start = 0;
  #end = 0;
  #needBytes = 0;
  #over = false;

  constructor(stream: ByteStream, talk: Talk, owner: TalkOwner) {
    this.#stream = stream;
    this.#talk = talk;
    this.#owner = owner;
  }

  /** Says the first words and begins to listen. */
  begin(): void {
    this.#resume(NOTHING);
    this.#stream.start(this);
  }

  /** Hears nothing any more. */
  stop(): void {
    this.#over = true;
  }

  buffer(): Buffer {
    if (this.#start === this.#end) this.#start = this.#end = 0;
    if (this.#end === this.#bytes.length) {
      const larger = Buffer.allocUnsafe(this.#bytes.length * 2);
      this.#bytes.copy(larger, 0, this.#start, this.#end);
      this.#bytes = larger;
      this.#end -= this.#start;
      this.#start = 0;
    }
    return this.#bytes.subarray(this.#end);
  }

  received(count: number): void {
    this.#end += count;
    while (!this.#over && this.#end - this.#start >= this.#needBytes) {
      const from = this.#start;
      this.#start += this.#needBytes;
      this.#resume(this.#bytes.subarray(from, this.#start));
    }
  }

  drained(): void {
    // What is said here lives in memory of its own.
  }

  ended(): void {
    this.#owner.ended();
  }

  closed(): void {
    this.#over = true;
    this.#owner.closed();
  }

  #resume(bytes: Buffer): void {
    const next = this.#talk.next(bytes);
    if (next.done === true) this.#over = true;
    else this.#needBytes = next.value;
  }
}
