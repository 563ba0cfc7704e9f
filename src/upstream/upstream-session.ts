import type { Piece, Reply } from "../disk.ts";
import { LIMITS } from "../limits.ts";
import type { Clock, Timer } from "../ports/clock.ts";
import type { ByteStream } from "../ports/network.ts";
import { COMMAND, NBD_ERROR, REQUEST_HEADER_BYTES, SIMPLE_REPLY_HEADER_BYTES } from "../protocol/constants.ts";
import type { Geometry } from "../protocol/geometry.ts";
import { ProtocolViolation } from "../protocol/protocol-violation.ts";
import { ReplyDecoder, type ReplySink } from "../protocol/reply-decoder.ts";
import { disconnectRequest, encodeRequestHeader } from "../protocol/request-header.ts";
import { BatchedWriter, type WriterOwner } from "../transport/batched-writer.ts";
import { ConnectionLost } from "../transport/connection-lost.ts";
import { HeaderSpace } from "../transport/header-space.ts";
import type { Slab } from "../transport/slab.ts";
import type { SlabConsumer, SlabReader } from "../transport/slab-reader.ts";
import { Slice } from "../transport/slice.ts";
import type { InFlight } from "./in-flight.ts";

/** A negotiated connection, ready for transmission. */
export interface Negotiated {
  readonly stream: ByteStream;
  readonly reader: SlabReader;
  readonly geometry: Geometry;
}

/** Who sends requests over an UpstreamSession. */
export interface SessionOwner {
  /** The request that waits for that cookie's reply, if there is one. */
  find(cookieHigh: number, cookieLow: number): InFlight | undefined;
  /** A whole reply. It is good during the call. */
  replied(entry: InFlight, reply: Reply): void;
  /** The connection is no more. Called once; what was sent over it stays unanswered. */
  lost(session: UpstreamSession, why: Error): void;
}

const HEADER_SLAB_BYTES = 4096;
const NO_PIECES: readonly Piece[] = [];

/** One connection to a server in its transmission phase: requests out, whole replies in, in the order in which they come. */
export class UpstreamSession implements SlabConsumer, ReplySink<Slab>, WriterOwner {
  readonly geometry: Geometry;
  readonly #stream: ByteStream;
  readonly #reader: SlabReader;
  readonly #owner: SessionOwner;
  readonly #clock: Clock;
  readonly #writer: BatchedWriter;
  readonly #headers = new HeaderSpace(HEADER_SLAB_BYTES);
  readonly #decoder = new ReplyDecoder<Slab>(this);
  #current: InFlight | undefined;
  #error = 0;
  #room: Slice | undefined;
  readonly #data: Slice[] = [];
  #lost = false;
  #closed = false;
  #farewell: Timer | undefined;
  #onClosed: (() => void) | undefined;

  constructor(negotiated: Negotiated, owner: SessionOwner, clock: Clock) {
    this.geometry = negotiated.geometry;
    this.#stream = negotiated.stream;
    this.#reader = negotiated.reader;
    this.#owner = owner;
    this.#clock = clock;
    this.#writer = new BatchedWriter(negotiated.stream, this);
  }

  /** Takes over the connection from the handshake. */
  begin(): void {
    this.#reader.handOver(this);
  }

  /**
   * Sends a request. Its header goes in front of its payload, or into `room`, where there is space for it, so that what
   * arrived side by side leaves side by side.
   */
  send(entry: InFlight, room: Slice | undefined): void {
    entry.session = this;
    entry.onWire = true;
    const first = entry.request.payload[0];
    const offered = first ?? room;
    const header =
      offered !== undefined && offered.headroomBytes >= REQUEST_HEADER_BYTES
        ? offered
        : this.#headers.take(REQUEST_HEADER_BYTES);
    encodeRequestHeader(header.slab.view, header.start - REQUEST_HEADER_BYTES, entry);
    this.#writer.append(header.slab, header.start - REQUEST_HEADER_BYTES, header.start);
    this.#writer.appendSlices(entry.request.payload);
  }

  /** Ends the connection the polite way; resolves when it is gone. */
  disconnect(): Promise<void> {
    return new Promise((resolve) => {
      this.#onClosed = resolve;
      if (this.#closed) resolve();
      else if (!this.#lost) this.#sayGoodbye();
    });
  }

  /** Gives the connection up; the owner is told why. */
  giveUp(why: Error): void {
    if (this.#lost) return;
    this.#lost = true;
    this.#stream.destroy();
    this.#owner.lost(this, why);
  }

  consume(slab: Slab, start: number, end: number): number {
    return this.#lost ? end : this.#decoder.decode(slab, start, end);
  }

  violated(violation: ProtocolViolation): void {
    this.giveUp(violation);
  }

  drained(): void {
    this.#writer.drained();
  }

  batchLeft(): void {
    // Nothing is charged to what goes upstream.
  }

  ended(): void {
    this.giveUp(new ConnectionLost("the server closed the connection"));
    this.#stream.destroy();
  }

  closed(error: Error | undefined): void {
    this.#closed = true;
    this.#farewell?.cancel();
    this.#writer.closed();
    this.#releaseData();
    this.giveUp(new ConnectionLost(error?.message ?? "the connection was closed", { cause: error }));
    this.#onClosed?.();
  }

  reply(error: number, cookieHigh: number, cookieLow: number, slab: Slab, at: number): number {
    const entry = this.#owner.find(cookieHigh, cookieLow);
    if (entry === undefined || entry.session !== this || !entry.onWire) {
      throw new ProtocolViolation("a reply with a cookie that is not in flight");
    }
    const end = at + SIMPLE_REPLY_HEADER_BYTES;
    this.#current = entry;
    this.#error = error;
    this.#room = new Slice(slab, end, end, SIMPLE_REPLY_HEADER_BYTES);
    return error === 0 && entry.command === COMMAND.READ ? entry.length : 0;
  }

  data(slab: Slab, start: number, end: number): void {
    const last = this.#data.at(-1);
    if (last !== undefined && last.slab === slab && last.end === start) {
      last.end = end;
      return;
    }
    slab.retain();
    const behindHeader = last === undefined && this.#room?.slab === slab && this.#room.end === start;
    this.#data.push(new Slice(slab, start, end, behindHeader ? SIMPLE_REPLY_HEADER_BYTES : 0));
  }

  replyEnd(): void {
    const entry = this.#current;
    this.#current = undefined;
    if (entry === undefined) return;
    if (this.#error === NBD_ERROR.ESHUTDOWN) {
      // The text wants a soft disconnect here ("Error values"); a new connection is tried meanwhile.
      this.#sayGoodbye();
      this.#owner.lost(this, new ConnectionLost("the server is shutting down"));
      return;
    }
    const pieces = this.#data.length === 0 ? NO_PIECES : this.#data.map(dataPiece);
    this.#owner.replied(entry, { error: this.#error, pieces, room: this.#room });
    this.#releaseData();
  }

  /** Sends DISC, waits a little for the server to close, then closes. No reply counts any more. */
  #sayGoodbye(): void {
    this.#lost = true;
    this.#writer.appendBytes(disconnectRequest());
    this.#writer.end();
    this.#farewell = this.#clock.setTimer(LIMITS.farewellMs, () => this.#stream.destroy());
  }

  #releaseData(): void {
    for (const slice of this.#data) slice.slab.release();
    this.#data.length = 0;
  }
}

function dataPiece(slice: Slice): Piece {
  return { kind: "data", slice };
}
