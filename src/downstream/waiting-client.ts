import { LIMITS } from "../limits.ts";
import type { ByteStream, StreamReader } from "../ports/network.ts";

/**
 * A client that is connected and waits, without a hello, for another to leave. It is read into very little memory, only to
 * notice when it goes away.
 */
export class WaitingClient implements StreamReader {
  readonly stream: ByteStream;
  readonly #gone: (client: WaitingClient) => void;
  readonly #early = Buffer.alloc(LIMITS.waitingBytes);
  #filled = 0;

  /** `gone` is called when the client leaves or talks too much before its turn. */
  constructor(stream: ByteStream, gone: (client: WaitingClient) => void) {
    this.stream = stream;
    this.#gone = gone;
  }

  /** What it said so far, for the session that serves it. */
  get early(): Buffer {
    return this.#early.subarray(0, this.#filled);
  }

  buffer(): Buffer {
    return this.#filled < this.#early.length ? this.#early.subarray(this.#filled) : Buffer.alloc(1);
  }

  received(count: number): void {
    this.#filled += count;
    if (this.#filled >= this.#early.length) this.#leave();
  }

  drained(): void {
    // Nothing is written to a client before its turn.
  }

  ended(): void {
    this.#leave();
  }

  closed(): void {
    this.#gone(this);
  }

  #leave(): void {
    this.stream.destroy();
    this.#gone(this);
  }
}
