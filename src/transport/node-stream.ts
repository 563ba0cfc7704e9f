import type { OnReadOpts, Socket } from "node:net";
import type { ByteStream, StreamReader } from "../ports/network.ts";
import type { AdaptivePolling, Speaker } from "./adaptive-polling.ts";
import type { DirectReads } from "./node-direct-reads.ts";
import { writeDirectly } from "./node-direct-write.ts";
import { SocketLooks } from "./node-socket-looks.ts";
import type { Turn } from "./turn.ts";
import { withoutFirst } from "./without-first.ts";

/** Where bytes go that arrive before anybody reads; sockets start paused, so it is hardly ever used. */
const EARLY_BYTES = 1024;

/** What all streams of a network share. */
export interface StreamSurroundings {
  readonly polling: AdaptivePolling;
  readonly turn: Turn;
  /** Undefined where there are none. */
  readonly directReads: DirectReads | undefined;
}

/** A node:net socket, TCP or UNIX, as a ByteStream. Bytes are read straight into the reader's memory. */
export class NodeStream implements ByteStream, Speaker {
  readonly peer: string;
  readonly peerAddress: string | undefined;
  readonly #socket: Socket;
  readonly #polling: AdaptivePolling;
  readonly #turn: Turn;
  readonly #looks: SocketLooks;
  #reading = false;
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
    { polling, turn, directReads }: StreamSurroundings,
  ) {
    this.#polling = polling;
    this.#turn = turn;
    this.#socket = makeSocket({
      buffer: () => this.#lend(),
      callback: (count, buffer) => {
        this.#take(buffer, count, this.#lender);
        return true;
      },
    });
    this.#looks = new SocketLooks(this.#socket, directReads);
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
    else this.resume();
  }

  pause(): void {
    this.#reading = false;
    this.#socket.pause();
  }

  resume(): void {
    this.#reading = true;
    this.#socket.resume();
  }

  write(chunks: readonly Buffer[]): boolean {
    const socket = this.#socket;
    if (socket.destroyed || socket.writableEnded) return true;
    // What is queued goes first.
    const isFree = !this.#waiting && socket.writableLength === 0;
    const rest = isFree ? withoutFirst(chunks, writeDirectly(socket, chunks)) : chunks;
    if (socket.destroyed) return true;
    this.#polling.handedOver(this);
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

  look(): boolean | undefined {
    if (!this.#reading) return undefined;
    const bytes = this.#looks.look(this.#lent);
    if (bytes === undefined) return undefined;
    if (bytes.length === 0) return false;
    this.#take(bytes, bytes.length, undefined);
    return true;
  }

  #lend(): Buffer {
    const reader = this.#reader;
    if (reader === undefined) return this.#lent;
    const apart = this.#looks.lend();
    this.#lender = apart === undefined ? reader : undefined;
    this.#lent = apart ?? reader.buffer();
    return this.#lent;
  }

  /** So many bytes have come into that reader's memory, or into nobody's. */
  #take(memory: Uint8Array, count: number, lender: StreamReader | undefined): void {
    this.#polling.arrived(this, count);
    this.#turn.begin(this);
    const reader = this.#reader;
    if (reader !== undefined && reader === lender) reader.received(count);
    else {
      const bytes = memory.subarray(0, count);
      // The memory of another reader may be that of this one by now.
      this.#copyToReader(lender === undefined ? bytes : Buffer.from(bytes));
    }
    this.#turn.end();
  }

  /** What arrived is in the wrong place: another reader's memory, or nobody's. */
  #copyToReader(bytes: Uint8Array): void {
    let rest = bytes;
    while (rest.length > 0 && this.#reader !== undefined) {
      const room = this.#reader.buffer();
      const part = rest.subarray(0, room.length);
      room.set(part);
      this.#reader.received(part.length);
      rest = rest.subarray(part.length);
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
