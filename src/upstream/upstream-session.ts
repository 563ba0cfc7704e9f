import type { Reply } from "../disk.ts";
import { LIMITS } from "../limits.ts";
import type { Clock, Timer } from "../ports/clock.ts";
import type { ByteStream } from "../ports/network.ts";
import type { Negotiation } from "../protocol/client-handshake.ts";
import { NBD_ERROR, REQUEST_HEADER_BYTES } from "../protocol/constants.ts";
import type { Geometry } from "../protocol/geometry.ts";
import { ProtocolViolation } from "../protocol/protocol-violation.ts";
import { disconnectRequest, encodeRequestHeader } from "../protocol/request-header.ts";
import { BatchedWriter, type WriterOwner } from "../transport/batched-writer.ts";
import { ConnectionLost } from "../transport/connection-lost.ts";
import { HeaderSpace } from "../transport/header-space.ts";
import type { Slab } from "../transport/slab.ts";
import type { SlabConsumer, SlabReader } from "../transport/slab-reader.ts";
import type { Slice } from "../transport/slice.ts";
import type { InFlight } from "./in-flight.ts";
import { ReplyReceiver, type ReplyReceiverOwner } from "./reply-receiver.ts";
import { SilenceWatch } from "./silence-watch.ts";

/** A negotiated connection, ready for transmission. */
export interface Negotiated extends Negotiation {
  readonly stream: ByteStream;
  readonly reader: SlabReader;
}

/** Who sends requests over an UpstreamSession. */
export interface SessionOwner {
  /** The request that waits for that cookie's reply, if there is one. */
  find(cookieHigh: number, cookieLow: number): InFlight | undefined;
  /** A whole reply. It is good during the call. */
  replied(entry: InFlight, reply: Reply): void;
  /** The connection is no more. Called once; what was sent over it stays unanswered. */
  lost(session: UpstreamSession, why: Error): void;
  /** Its stream is gone, some time after `lost`. `ended`: the server itself ended it. */
  over(session: UpstreamSession, ended: boolean): void;
  /** Requests wait, and nothing was heard for `silenceMs`; and: it is heard again. */
  silent(session: UpstreamSession): void;
  heardAgain(session: UpstreamSession): void;
  /** No request waits, and nothing was heard for `idleMs`. */
  idle(session: UpstreamSession): void;
}

/** How patient a session is, and how it ends. */
export interface SessionPatience {
  readonly clock: Clock;
  /** With requests waiting, this long without a byte is reported as silence. */
  readonly silenceMs: number;
  /** With none waiting, this long without a byte is reported as idleness; undefined: never. */
  readonly idleMs: number | undefined;
  /** It is never cut, but left to the server to end, however long that takes. */
  readonly strict: boolean;
}

/** What the system says of a connection that the other side has ended. */
const ENDED_BY_SERVER: ReadonlySet<unknown> = new Set(["ECONNRESET", "EPIPE"]);

const HEADER_SLAB_BYTES = 4096;

/**
 * One connection to a server in its transmission phase: requests out, whole replies in, in the order in which they come. It
 * is `open` until it is lost or given up; one that was given up may be `retiring` for a while, in which answers to requests
 * that were not sent again yet still count.
 */
export class UpstreamSession implements SlabConsumer, ReplyReceiverOwner, WriterOwner {
  readonly geometry: Geometry;
  readonly #stream: ByteStream;
  readonly #reader: SlabReader;
  readonly #owner: SessionOwner;
  readonly #clock: Clock;
  readonly #strict: boolean;
  readonly #watch: SilenceWatch;
  readonly #writer: BatchedWriter;
  readonly #headers = new HeaderSpace(HEADER_SLAB_BYTES);
  readonly #receiver: ReplyReceiver;
  #state: "open" | "retiring" | "lost" | "closed" = "open";
  #farewell: Timer | undefined;
  #endedByServer = false;
  #onClosed: (() => void) | undefined;

  constructor(negotiated: Negotiated, owner: SessionOwner, patience: SessionPatience) {
    this.geometry = negotiated.geometry;
    this.#stream = negotiated.stream;
    this.#reader = negotiated.reader;
    this.#owner = owner;
    this.#clock = patience.clock;
    this.#strict = patience.strict;
    this.#writer = new BatchedWriter(negotiated.stream, this);
    this.#receiver = new ReplyReceiver(negotiated, this);
    this.#watch = new SilenceWatch({
      clock: patience.clock,
      timeoutMs: patience.silenceMs,
      idleMs: patience.idleMs,
      silent: () => owner.silent(this),
      heardAgain: () => owner.heardAgain(this),
      idle: () => owner.idle(this),
    });
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
    const { payload } = entry.request;
    const offered = payload[0] ?? room;
    const header =
      offered !== undefined && offered.headroomBytes >= REQUEST_HEADER_BYTES
        ? offered
        : this.#headers.take(REQUEST_HEADER_BYTES);
    encodeRequestHeader(header.slab.view, header.start - REQUEST_HEADER_BYTES, entry);
    // The end of an empty slice is its start: what has a payload right behind its header leaves with it.
    this.#writer.append(header.slab, header.start - REQUEST_HEADER_BYTES, header.end);
    for (const slice of payload) if (slice !== header) this.#writer.append(slice.slab, slice.start, slice.end);
    entry.wire = this;
    entry.batch = this.#writer.batches;
    this.#watch.sent();
  }

  /** Ends the connection the polite way, a strict one as well; resolves when it is gone. */
  disconnect(): Promise<void> {
    return new Promise((resolve) => {
      this.#onClosed = resolve;
      if (this.#state === "closed") resolve();
      else if (this.#state === "open") this.#sayGoodbye("lost", LIMITS.farewellMs);
      else this.#cutAfter(LIMITS.farewellMs);
    });
  }

  /**
   * Gives a connection up that may still work; the owner is told that it is lost. When all it was sent has left, it says
   * DISC and its last answers are awaited for a while; else it is cut at once, or what is queued would still be carried
   * out. A strict one is never cut: what is queued is carried out before the server ends it.
   */
  retire(why: Error): void {
    if (this.#state !== "open") return;
    if (this.#writer.backlogBytes > 0 && !this.#strict) {
      // An orderly close would still send what the system has taken over already.
      this.#stream.reset();
      this.giveUp(why);
      return;
    }
    this.#sayGoodbye("retiring", LIMITS.retireMs);
    this.#owner.lost(this, why);
  }

  /** Cuts the connection; the owner is told why, unless it knows that it is lost. */
  giveUp(why: Error): void {
    if (this.#strict && this.#state === "open") {
      this.#sayGoodbye("lost", LIMITS.retireMs);
      this.#owner.lost(this, why);
    } else if (this.#strict) {
      if (this.#state === "retiring") this.#state = "lost";
    } else if (this.#state !== "closed") this.#cut(why);
  }

  consume(slab: Slab, start: number, end: number): number {
    if (this.#state === "lost" || this.#state === "closed") return end;
    this.#watch.heard();
    return this.#receiver.consume(slab, start, end);
  }

  violated(violation: ProtocolViolation): void {
    this.#receiver.release();
    // It came right behind ESHUTDOWN, perhaps an answer to what nobody waits for since: it is being ended already.
    if (this.#state === "lost") return;
    this.giveUp(violation);
  }

  drained(): void {
    this.#writer.drained();
  }

  batchWaits(): void {
    // A server that does not read does not answer either: silence is what gives it away.
  }

  batchLeft(): void {
    // Nothing is charged to what goes upstream.
  }

  ended(): void {
    this.#endedByServer = true;
    this.#cut(new ConnectionLost("the server closed the connection"));
  }

  closed(error: Error | undefined): void {
    const code: unknown = error !== undefined && "code" in error ? error.code : undefined;
    const ended = this.#endedByServer || ENDED_BY_SERVER.has(code);
    this.#cut(new ConnectionLost(error?.message ?? "the connection was closed", { cause: error }));
    this.#state = "closed";
    this.#farewell?.cancel();
    this.#writer.closed();
    this.#receiver.release();
    this.#owner.over(this, ended);
    this.#onClosed?.();
  }

  expected(cookieHigh: number, cookieLow: number): InFlight {
    const entry = this.#owner.find(cookieHigh, cookieLow);
    if (entry === undefined || entry.wire !== this) {
      throw new ProtocolViolation("a reply with a cookie that is not in flight");
    }
    if (entry.batch > this.#writer.batchesBegun)
      throw new ProtocolViolation("a reply to a request that was not sent yet");
    return entry;
  }

  received(entry: InFlight, reply: Reply): void {
    if (reply.error === NBD_ERROR.ESHUTDOWN) {
      this.#shutDown();
      return;
    }
    this.#watch.answered();
    // While the rest of a long reply arrived, the request may have been sent over the next connection, or answered there.
    if (entry.wire === this && this.#owner.find(entry.cookieHigh, entry.cookieLow) === entry) {
      this.#owner.replied(entry, reply);
    }
  }

  /** The text wants a soft disconnect after ESHUTDOWN ("Error values"); a new connection is tried meanwhile. */
  #shutDown(): void {
    if (this.#state !== "open") return;
    this.#sayGoodbye("lost", LIMITS.farewellMs);
    this.#owner.lost(this, new ConnectionLost("the server is shutting down"));
  }

  /** Sends DISC, waits for the server to close, for so long at most, then cuts the connection. */
  #sayGoodbye(state: "lost" | "retiring", patienceMs: number): void {
    this.#state = state;
    this.#watch.stop();
    this.#writer.appendBytes(disconnectRequest());
    this.#writer.end();
    // Only the server can tell that it is done with what it was sent.
    const cutsAnyway = !this.#strict || this.#onClosed !== undefined;
    if (cutsAnyway) this.#cutAfter(patienceMs);
  }

  #cutAfter(patienceMs: number): void {
    this.#farewell?.cancel();
    this.#farewell = this.#clock.setTimer(patienceMs, () => this.#stream.reset());
  }

  /** Lets go of the stream at once; the owner is told why, unless it knows that the connection is lost. */
  #cut(why: Error): void {
    const known = this.#state !== "open";
    this.#state = "lost";
    this.#watch.stop();
    this.#stream.destroy();
    if (!known) this.#owner.lost(this, why);
  }
}
