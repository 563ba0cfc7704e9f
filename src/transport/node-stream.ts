import type { OnReadOpts, Socket } from "node:net";
import type { ByteStream, StreamReader } from "../ports/network.ts";
import type { AdaptivePolling } from "./adaptive-polling.ts";
import type { Turn } from "./turn.ts";
import { writeDirectly } from "./node-direct-write.ts";
import { withoutFirst } from "./without-first.ts";

/** Where bytes go that arrive before anybody reads; sockets start paused, so it is hardly ever used. */
const EARLY_BYTES = 1024;

/** A node:net socket, TCP or UNIX, as a ByteStream. Bytes are read straight into the reader's memory. */
export class NodeStream implements ByteStream {
  readonly peer: string;
  readonly peerAddress: string | undefined;
  readonly #socket: Socket;
  readonly #polling: AdaptivePolling;
  readonly #turn: Turn;
  #reader: StreamReader | undefined;
  /** The buffer that the system reads into next; it was lent by a reader, perhaps an earlier one. */
  #lent: Buffer = Buffer.alloc(EARLY_BYTES);
  #lender: StreamReader | undefined;
  #waiting = false;
  /** Whose words were the last to make something leave here. */
  #fedBy: object | undefined;
  #error: Error | undefined;
  #ended = false;
  #closed = false;

  /** `makeSocket` must return a paused, half-open socket that was made with these `onread` options. */
  constructor(
    makeSocket: (onread: OnReadOpts) => Socket,
    peer: string,
    peerAddress: string | undefined,
    polling: AdaptivePolling,
    turn: Turn,
  ) {
    this.#polling = polling;
    this.#turn = turn;
    this.#socket = makeSocket({
      buffer: () => this.#lend(),
      callback: (count, buffer) => this.#received(count, buffer),
    });
    this.peer = peer;
    this.peerAddress = peerAddress;
    this.#socket.on("end", () => this.#onEnd());
    this.#socket.on("error", (error) => (this.#error = error));
    this.#socket.on("close", () => this.#onClose());
  }

  start(reader: StreamReader): void {
    this.#reader = reader;
    if (this.#closed) queueMicrotask(() => reader.closed(this.#error));
    else if (this.#ended) queueMicrotask(() => reader.ended());
    else this.#socket.resume();
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  write(chunks: readonly Buffer[]): boolean {
    const socket = this.#socket;
    if (socket.destroyed || socket.writableEnded) return true;
    // What is queued goes first.
    const isFree = !this.#waiting && socket.writableLength === 0;
    const rest = isFree ? withoutFirst(chunks, writeDirectly(socket, chunks)) : chunks;
    this.#polling.handedOver();
    const last = rest.length - 1;
    if (isFree && last < 0) return true;
    if (last > 0) socket.cork();
    for (let index = 0; index < last; index += 1) socket.write(rest[index] ?? "");
    socket.write(rest[last] ?? "", this.#onWritten);
    if (last > 0) socket.uncork();
    // The system takes what fits during the call; what it took is already off the count.
    this.#waiting = socket.writableLength > 0;
    return !this.#waiting;
  }

  putOff(step: () => void): void {
    const { source } = this.#turn;
    const fedByAnother = source !== undefined && source !== this.#fedBy;
    this.#fedBy = source ?? this.#fedBy;
    // Where several have something to say, what the others say next, which may be here already, leaves with it.
    if (fedByAnother) setImmediate(step);
    else this.#turn.putOff(step);
  }

  end(): void {
    this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  reset(): void {
    const { writableEnded, writableFinished } = this.#socket;
    // Only TCP knows resets; and while a half-close is under way, the system refuses one.
    const canReset = this.peerAddress !== undefined && (!writableEnded || writableFinished);
    if (canReset) this.#socket.resetAndDestroy();
    else this.#socket.destroy();
  }

  #lend(): Buffer {
    if (this.#reader !== undefined) {
      this.#lent = this.#reader.buffer();
      this.#lender = this.#reader;
    }
    return this.#lent;
  }

  #received(count: number, buffer: Uint8Array): boolean {
    this.#polling.arrived();
    this.#turn.begin(this);
    const reader = this.#reader;
    if (reader !== undefined && reader === this.#lender) reader.received(count);
    else this.#copyToReader(Buffer.from(buffer.subarray(0, count)));
    this.#turn.end();
    return true;
  }

  /** The reader changed after its memory was chosen: what arrived is in the wrong place. */
  #copyToReader(bytes: Buffer): void {
    let rest = bytes;
    while (rest.length > 0 && this.#reader !== undefined) {
      const copied = rest.copy(this.#reader.buffer());
      this.#reader.received(copied);
      rest = rest.subarray(copied);
    }
  }

  readonly #onWritten = (): void => {
    if (!this.#waiting || this.#socket.writableLength > 0) return;
    this.#waiting = false;
    this.#reader?.drained();
  };

  #onEnd(): void {
    this.#ended = true;
    this.#reader?.ended();
  }

  #onClose(): void {
    this.#closed = true;
    this.#reader?.closed(this.#error);
  }
}
