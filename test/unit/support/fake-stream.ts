import type { ByteStream, StreamReader } from "../../../src/ports/network.ts";

/**
 * One end of a connection whose other end is the test: it says and hears bytes, takes as much as it likes, pauses, half-closes,
 * vanishes. What is written is read out of the writer's memory when it leaves, not before.
 */
export class FakeStream implements ByteStream {
  readonly peer: string;
  /** Documentation's own range; undefined makes it a UNIX socket. */
  peerAddress: string | undefined = "192.0.2.1";
  /** The most that one read returns: 1 delivers byte by byte. */
  readBytes = Number.POSITIVE_INFINITY;
  /** The sizes of the chunks of every write. */
  readonly writes: (readonly number[])[] = [];
  /** Bytes that were written after the end, and so never left. */
  droppedBytes = 0;
  paused = false;
  /** It was told to `destroy`. */
  destroyed = false;
  /** It was told to `reset`. */
  wasReset = false;
  /** All that was written has left, and then the end. */
  finished = false;
  /** Its reader was told that it is gone. */
  closed = false;
  /** Who is told what left and what was read, when the other end is a stream as well. */
  link: { left(bytes: Buffer): void; read(count: number): void; finished(): void; destroyed(): void } | undefined;

  #reader: StreamReader | undefined;
  #lent: Buffer = Buffer.alloc(1024);
  #lender: StreamReader | undefined;
  #inbox = Buffer.alloc(0);
  #otherEnded = false;
  #toldEnd = false;
  #outbox: Buffer[] = [];
  #windowBytes = Number.POSITIVE_INFINITY;
  #backlogged = false;
  #ending = false;
  #pumping = false;
  #gone: { readonly error: Error | undefined } | undefined;
  readonly #heard: Buffer[] = [];

  constructor(peer = "test") {
    this.peer = peer;
  }

  // What the test does.

  /** Everything that left so far. */
  get heard(): Buffer {
    return Buffer.concat(this.#heard);
  }

  /** What left since this was last asked. */
  listen(): Buffer {
    return Buffer.concat(this.#heard.splice(0));
  }

  /** Bytes that were written and have not left. */
  get backlogBytes(): number {
    return this.#outbox.reduce((sum, chunk) => sum + chunk.length, 0);
  }

  /** Bytes that were said and not read. */
  get unreadBytes(): number {
    return this.#inbox.length;
  }

  get started(): boolean {
    return this.#reader !== undefined;
  }

  /** Sends bytes to the end under test; they are read at once unless it is paused. */
  say(bytes: Buffer): void {
    this.#inbox = Buffer.concat([this.#inbox, bytes]);
    this.#pump();
  }

  /** Takes that many bytes from now on, and no more. */
  takeOnly(bytes: number): void {
    this.#windowBytes = bytes;
  }

  /** Takes that many more bytes; all of them when nothing is said. */
  take(bytes = Number.POSITIVE_INFINITY): void {
    this.#windowBytes += bytes;
    this.#leave();
  }

  /** The other side half-closes. */
  sayEnd(): void {
    this.#otherEnded = true;
    this.#pump();
  }

  /** The connection breaks. */
  drop(error?: Error): void {
    if (this.#gone !== undefined) return;
    this.#gone = { error };
    this.#inbox = Buffer.alloc(0);
    this.#outbox = [];
    queueMicrotask(() => this.#tellClosed());
  }

  // What the end under test does.

  start(reader: StreamReader): void {
    this.#reader = reader;
    if (this.#gone !== undefined) queueMicrotask(() => this.#tellClosed());
    this.resume();
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
    queueMicrotask(() => this.#pump());
  }

  write(chunks: readonly Buffer[]): boolean {
    if (this.#gone !== undefined || this.#ending) {
      this.droppedBytes += chunks.reduce((sum, chunk) => sum + chunk.length, 0);
      return true;
    }
    this.writes.push(chunks.map((chunk) => chunk.length));
    this.#outbox.push(...chunks);
    this.#leave();
    this.#backlogged = this.#outbox.length > 0;
    return !this.#backlogged;
  }

  putOff(step: () => void): void {
    queueMicrotask(step);
  }

  end(): void {
    this.#ending = true;
    this.#leave();
  }

  destroy(): void {
    if (this.destroyed) return;
    this.destroyed = true;
    if (this.#gone === undefined) this.link?.destroyed();
    this.drop();
  }

  reset(): void {
    this.wasReset = true;
    this.destroy();
  }

  #pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    try {
      while (this.#mayRead() && this.#inbox.length > 0) this.#readOnce();
      if (this.#mayRead() && this.#otherEnded && !this.#toldEnd) {
        this.#toldEnd = true;
        this.#reader?.ended();
        this.#closeWhenBothEnded();
      }
    } finally {
      this.#pumping = false;
    }
  }

  #mayRead(): boolean {
    return this.#reader !== undefined && !this.paused && this.#gone === undefined;
  }

  /** As node:net does it: the memory for a read was asked for after the read before. */
  #readOnce(): void {
    const bytes = this.#inbox.subarray(0, Math.min(this.readBytes, this.#lent.length));
    this.#inbox = this.#inbox.subarray(bytes.length);
    if (this.#lender === this.#reader) {
      bytes.copy(this.#lent);
      this.#reader?.received(bytes.length);
    } else {
      for (let rest = bytes; rest.length > 0;) {
        const copied = rest.copy(this.#reader?.buffer() ?? Buffer.alloc(0));
        this.#reader?.received(copied);
        rest = rest.subarray(copied);
      }
    }
    this.#lent = this.#reader?.buffer() ?? this.#lent;
    this.#lender = this.#reader;
    if (this.#lent.length === 0) throw new Error("a reader lent no memory");
    this.link?.read(bytes.length);
  }

  #leave(): void {
    for (let chunk = this.#outbox[0]; chunk !== undefined && this.#windowBytes > 0; chunk = this.#outbox[0]) {
      const left = Buffer.from(chunk.subarray(0, Math.min(chunk.length, this.#windowBytes)));
      this.#windowBytes -= left.length;
      if (left.length === chunk.length) this.#outbox.shift();
      else this.#outbox[0] = chunk.subarray(left.length);
      this.#heard.push(left);
      this.link?.left(left);
    }
    if (this.#outbox.length > 0) return;
    if (this.#backlogged) {
      this.#backlogged = false;
      queueMicrotask(() => {
        if (this.#gone === undefined) this.#reader?.drained();
      });
    }
    if (this.#ending && !this.finished) {
      this.finished = true;
      this.link?.finished();
      this.#closeWhenBothEnded();
    }
  }

  #closeWhenBothEnded(): void {
    if (this.finished && this.#toldEnd) this.drop();
  }

  #tellClosed(): void {
    if (this.closed || this.#reader === undefined) return;
    this.closed = true;
    this.#reader.closed(this.#gone?.error);
  }
}
