import type { Disk, DiskHandle, Exports, Reply } from "../disk.ts";
import { LIMITS } from "../limits.ts";
import type { Clock, Timer } from "../ports/clock.ts";
import type { Log } from "../ports/log.ts";
import type { ByteStream } from "../ports/network.ts";
import { COMMAND } from "../protocol/constants.ts";
import type { ProtocolViolation } from "../protocol/protocol-violation.ts";
import { RequestDecoder, type RequestSink } from "../protocol/request-decoder.ts";
import type { RequestHeader } from "../protocol/request-header.ts";
import { serverHandshake } from "../protocol/server-handshake.ts";
import { BatchedWriter, type WriterOwner } from "../transport/batched-writer.ts";
import type { BudgetWaiter, ByteBudget } from "../transport/byte-budget.ts";
import { DialogueRunner } from "../transport/dialogue-runner.ts";
import type { Slab } from "../transport/slab.ts";
import type { SlabPool } from "../transport/slab-pool.ts";
import { type SlabConsumer, SlabReader } from "../transport/slab-reader.ts";
import { ClientRequest, type RequestOwner } from "./client-request.ts";
import { ReplyWriter } from "./reply-writer.ts";
import { checkRequest } from "./request-check.ts";

/** What every session of a listener shares. */
export interface SessionSurroundings {
  readonly exports: Exports;
  readonly pool: SlabPool;
  /** What may be held for all clients together. */
  readonly budget: ByteBudget;
  readonly clock: Clock;
  readonly log: Log;
}

/** A payload that is read only to stay in step: the error that answers its request. */
interface Discarded {
  readonly error: number;
  readonly cookieHigh: number;
  readonly cookieLow: number;
}

/**
 * One client, from hello to good-bye: negotiation, then requests in and replies out in the order in which they complete.
 *
 * The client's place is free (`left`) as soon as it said DISC and was answered everything, or is gone. What it sent
 * before a DISC is finished all the same; what a vanished client sent is dropped where that is still possible.
 */
export class ClientSession implements SlabConsumer, RequestSink<Slab>, RequestOwner, WriterOwner, BudgetWaiter {
  readonly #stream: ByteStream;
  readonly #around: SessionSurroundings;
  readonly #left: () => void;
  readonly #reader: SlabReader;
  readonly #writer: BatchedWriter;
  readonly #replies: ReplyWriter;
  readonly #decoder = new RequestDecoder<Slab>(this);
  readonly #handshake: DialogueRunner<Disk | undefined>;
  #disk: Disk | undefined;
  #handle: DiskHandle | undefined;
  #current: ClientRequest | Discarded | undefined;
  #inFlight = 0;
  #state: "handshake" | "transmission" | "disconnecting" | "over" = "handshake";
  #farewell: Timer | undefined;
  #closed = false;

  /** `left` is called once, when the client's place is free. */
  constructor(stream: ByteStream, around: SessionSurroundings, left: () => void) {
    this.#stream = stream;
    this.#around = around;
    this.#left = left;
    this.#reader = new SlabReader(stream, around.pool, LIMITS.readRoomBytes);
    this.#writer = new BatchedWriter(stream, this);
    this.#replies = new ReplyWriter(this.#writer);
    this.#handshake = new DialogueRunner<Disk | undefined>({
      stream,
      reader: this.#reader,
      dialogue: serverHandshake<Disk>({ exports: around.exports, limits: LIMITS }),
      clock: around.clock,
      deadlineMs: LIMITS.handshakeMs,
      done: (disk) => this.#negotiated(disk),
      failed: (error) => this.#hangUp(`negotiation failed: ${error.message}`),
    });
  }

  /** Says hello. `early` are bytes that the client sent before. */
  begin(early: Buffer): void {
    if (early.length > 0) this.#reader.feed(early);
    this.#handshake.begin();
    if (this.#closed) return;
    this.#stream.start(this.#reader);
    // Early words may have made the handshake wait already.
    if (this.#reader.stalled) this.#stream.pause();
  }

  /** Takes no more requests; the client is let go when what it sent is answered. */
  drain(): void {
    if (this.#state === "handshake") this.#leave();
    else if (this.#state === "transmission") {
      this.#reader.stall();
      this.#disconnect();
    }
  }

  /** Lets the client go at once, whatever is still to be said. */
  abort(): void {
    this.#leave();
    this.#stream.destroy();
  }

  consume(slab: Slab, start: number, end: number): number {
    return this.#state === "transmission" ? this.#decoder.decode(slab, start, end) : end;
  }

  violated(violation: ProtocolViolation): void {
    this.#hangUp(violation.message);
  }

  drained(): void {
    this.#writer.drained();
  }

  ended(): void {
    this.#leave();
    this.#stream.destroy();
  }

  closed(): void {
    this.#closed = true;
    this.#farewell?.cancel();
    this.#writer.closed();
    this.#leave();
  }

  request(header: Readonly<RequestHeader>, slab: Slab, at: number): boolean {
    const disk = this.#disk;
    if (this.#state !== "transmission" || disk === undefined) return false;
    if (header.command === COMMAND.DISC) {
      this.#current = undefined;
      this.#disconnect();
      return true;
    }
    const error = checkRequest(header, disk.geometry);
    if (error !== 0 && header.command === COMMAND.WRITE && header.length > LIMITS.discardPayloadBytes) {
      this.#hangUp(`a request with a payload of ${header.length} bytes`);
      return false;
    }
    // A request that is refused takes its place as well: its answer has to leave like any other.
    const carriesData = header.command === COMMAND.READ || header.command === COMMAND.WRITE;
    const reservedBytes = error === 0 && carriesData ? header.length : 0;
    if (this.#crowded() || !this.#around.budget.tryReserve(reservedBytes, this)) {
      this.#reader.stall();
      return false;
    }
    if (error === 0) {
      this.#inFlight += 1;
      this.#current = new ClientRequest(this, header, reservedBytes, slab, at);
    } else {
      this.#current = { error, cookieHigh: header.cookieHigh, cookieLow: header.cookieLow };
    }
    return true;
  }

  payload(slab: Slab, start: number, end: number): void {
    if (this.#current instanceof ClientRequest) this.#current.addPayload(slab, start, end);
  }

  requestEnd(): void {
    const current = this.#current;
    this.#current = undefined;
    if (current instanceof ClientRequest) this.#handle?.submit(current);
    else if (current !== undefined) {
      const reply = { error: current.error, pieces: [], room: undefined };
      this.#replies.write(reply, current.cookieHigh, current.cookieLow);
      this.#writer.charge(0);
    }
  }

  answer(request: ClientRequest, reply: Reply): void {
    this.#inFlight -= 1;
    // Nobody listens any more, or nobody should: a client that was hung up on gets no answers to what was dropped.
    if (this.#state !== "over") this.#replies.write(reply, request.cookieHigh, request.cookieLow);
    this.#writer.charge(request.reservedBytes);
    // Whoever can't go on before the client reads must not stand in the way of those who can.
    if (this.#crowded()) this.#around.budget.forget(this);
    if (this.#inFlight === 0 && this.#state === "disconnecting") this.#finish();
    else if (this.#inFlight === 0 && this.#state === "over") this.#detach();
  }

  batchLeft(chargedBytes: number, charges: number): void {
    this.#around.budget.release(chargedBytes, charges);
    if (this.#state === "transmission" && this.#reader.stalled) this.#reader.resume();
    else if (this.#state === "disconnecting" && this.#inFlight === 0) this.#finish();
  }

  budgetHasRoom(): void {
    if (this.#state === "transmission") this.#reader.resume();
    else this.#around.budget.forget(this);
  }

  /** The client has enough requests in flight, or leaves too many answers unread. */
  #crowded(): boolean {
    return this.#inFlight >= LIMITS.clientRequests || this.#writer.backlogBytes >= LIMITS.clientBacklogBytes;
  }

  #negotiated(disk: Disk | undefined): void {
    if (disk === undefined) {
      this.#leave();
      return;
    }
    this.#state = "transmission";
    this.#disk = disk;
    this.#handle = disk.attach({ onReset: () => undefined });
    this.#around.log.info(`client ${this.#stream.peer}: attached`);
    this.#reader.handOver(this);
  }

  /** The client wants to go, or has to: what it sent is still answered. */
  #disconnect(): void {
    this.#state = "disconnecting";
    this.#around.budget.forget(this);
    this.#abandonPartial();
    if (this.#inFlight === 0) this.#finish();
  }

  /** Everything is answered: closes as soon as the answers have left. */
  #finish(): void {
    if (this.#writer.backlogBytes === 0) this.#leave();
  }

  #hangUp(why: string): void {
    if (this.#state === "over") return;
    this.#around.log.warning(`client ${this.#stream.peer}: ${why}; hanging up`);
    this.#leave();
  }

  #leave(): void {
    if (this.#state === "over") return;
    const polite = this.#state === "disconnecting";
    this.#state = "over";
    this.#handshake.abort();
    this.#around.budget.forget(this);
    this.#abandonPartial();
    // What came before a DISC is carried out even when the client did not wait for the answers.
    if (!polite || this.#inFlight === 0) this.#detach();
    this.#around.log.info(`client ${this.#stream.peer}: left`);
    this.#sayGoodbye();
    this.#left();
  }

  /** Lets the last words leave: closing with bytes unread would reset the connection and could overtake them. */
  #sayGoodbye(): void {
    if (this.#closed) return;
    this.#writer.end();
    this.#farewell = this.#around.clock.setTimer(LIMITS.farewellMs, () => this.#stream.destroy());
    this.#reader.handOver(this);
    this.#reader.resume();
  }

  /** A request whose payload will never be whole gives back what it held. */
  #abandonPartial(): void {
    const current = this.#current;
    this.#current = undefined;
    if (current === undefined) return;
    const held = current instanceof ClientRequest;
    if (held) {
      current.releasePayload();
      this.#inFlight -= 1;
    }
    this.#around.budget.release(held ? current.reservedBytes : 0, 1);
  }

  #detach(): void {
    const handle = this.#handle;
    this.#handle = undefined;
    handle?.close();
  }
}
