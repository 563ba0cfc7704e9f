import type { Disk, Reply } from "../disk.ts";
import { LIMITS } from "../limits.ts";
import type { Timer } from "../ports/clock.ts";
import type { ByteStream } from "../ports/network.ts";
import { COMMAND } from "../protocol/constants.ts";
import { greetClient } from "../protocol/greeting-style.ts";
import { isWriteLike } from "../protocol/is-write-like.ts";
import type { Agreement } from "../protocol/agreement.ts";
import type { ProtocolViolation } from "../protocol/protocol-violation.ts";
import { RequestDecoder, type RequestSink } from "../protocol/request-decoder.ts";
import type { RequestHeader } from "../protocol/request-header.ts";
import { BatchedWriter, type WriterOwner } from "../transport/batched-writer.ts";
import type { BudgetWaiter } from "../transport/byte-budget.ts";
import { ConnectionLost } from "../transport/connection-lost.ts";
import { DialogueRunner } from "../transport/dialogue-runner.ts";
import { HandshakeTimeout } from "../transport/handshake-timeout.ts";
import type { Slab } from "../transport/slab.ts";
import { type SlabConsumer, SlabReader } from "../transport/slab-reader.ts";
import { Attachment } from "./attachment.ts";
import { ClientQuota } from "./client-quota.ts";
import { ClientRequest, type RequestOwner } from "./client-request.ts";
import { MessageDeadline } from "./message-deadline.ts";
import type { SessionSurroundings } from "./session-surroundings.ts";

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
  readonly #decoder = new RequestDecoder<Slab>(this);
  readonly #deadline: MessageDeadline;
  /** Watches answers that the client is slow to read. */
  readonly #unread: MessageDeadline;
  readonly #quota: ClientQuota;
  readonly #handshake: DialogueRunner<Agreement<Disk> | undefined>;
  #attachment: Attachment | undefined;
  /** The request whose payload is being received. */
  #current: ClientRequest | undefined;
  /** The error that this request is refused with; 0 when it goes to the disk. */
  #refusal = 0;
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
    this.#quota = new ClientQuota(around.budget, this);
    this.#deadline = new MessageDeadline(around.clock, () => this.#hangUp("a request was begun and did not go on"));
    this.#unread = new MessageDeadline(around.clock, () => this.#leavesUnread());
    this.#handshake = new DialogueRunner<Agreement<Disk> | undefined>({
      stream,
      reader: this.#reader,
      dialogue: greetClient<Disk>(around.greetingStyle, { exports: around.exports, limits: LIMITS }),
      clock: around.clock,
      deadlineMs: LIMITS.handshakeMs,
      done: (agreement) => this.#negotiated(agreement),
      failed: (error) => this.#handshakeFailed(error),
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
    if (this.#state !== "transmission") return end;
    const decoder = this.#decoder;
    const rest = decoder.decode(slab, start, end);
    const incomplete = !this.#reader.stalled && (rest < end || decoder.owedBytes > 0);
    // What stands behind a DISC is no message: nobody waits for the rest of it.
    if (incomplete && this.#inTransmission) this.#deadline.incomplete(decoder.wholeRequests, decoder.owedBytes);
    else this.#deadline.complete();
    return rest;
  }

  violated(violation: ProtocolViolation): void {
    // After a DISC nothing that is said matters, but what was asked before it is still answered.
    if (this.#state !== "disconnecting") this.#hangUp(violation.message);
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
    const attachment = this.#attachment;
    if (this.#state !== "transmission" || attachment === undefined) return false;
    if (header.command === COMMAND.DISC) {
      this.#current = undefined;
      this.#disconnect();
      return true;
    }
    const error = attachment.refusal(header);
    if (error !== 0 && header.command === COMMAND.WRITE && header.length > LIMITS.discardPayloadBytes) {
      this.#hangUp(`a request with a payload of ${header.length} bytes`);
      return false;
    }
    // A request that is refused takes its place as well: its answer has to leave like any other.
    const reservedBytes = error === 0 ? attachment.sizeBytes(header) : 0;
    const keeps = error === 0 && isWriteLike(header.command);
    if (!this.#quota.tryAdmit(reservedBytes, this.#writer.backlogBytes, keeps)) {
      this.#reader.stall();
      return false;
    }
    this.#refusal = error;
    this.#current = new ClientRequest(this, header, reservedBytes, slab, at);
    return true;
  }

  payload(slab: Slab, start: number, end: number): void {
    // The payload of a refused request is read only to stay in step.
    if (this.#refusal === 0) this.#current?.addPayload(slab, start, end);
  }

  requestEnd(): void {
    const current = this.#current;
    this.#current = undefined;
    if (this.#refusal === 0) {
      if (current !== undefined) this.#attachment?.submit(current);
    } else current?.complete({ error: this.#refusal, pieces: [], room: undefined });
  }

  answer(request: ClientRequest, reply: Reply): void {
    // Nobody listens any more, or nobody should: a client that was hung up on gets no answers to what was dropped.
    if (this.#state !== "over") this.#attachment?.reply(reply, request);
    this.#writer.charge(request.reservedBytes);
    this.#quota.answered(this.#writer.backlogBytes);
    if (this.#quota.inFlight > 0) return;
    if (this.#state === "disconnecting") this.#finish();
    else if (this.#state === "over") this.#attachment?.close();
  }

  batchWaits(bytes: number): void {
    if (this.#state !== "over") this.#unread.incomplete(this.#writer.batchesBegun, bytes);
  }

  batchLeft(chargedBytes: number, charges: number): void {
    this.#unread.complete();
    this.#quota.release(chargedBytes, charges);
    if (this.#state === "transmission" && this.#reader.stalled) this.#reader.resume();
    else if (this.#state === "disconnecting" && this.#quota.inFlight === 0) this.#finish();
  }

  budgetHasRoom(): void {
    if (this.#state === "transmission") this.#reader.resume();
    else this.#quota.stopWaiting();
  }

  #handshakeFailed(error: Error): void {
    const why = `negotiation failed: ${error.message}`;
    // Health checks and port scans connect and go; that is not worth a warning each.
    const justLeft = error instanceof ConnectionLost && !(error instanceof HandshakeTimeout);
    if (justLeft) this.#around.log.info(`client ${this.#stream.peer}: ${why}`);
    else this.#around.log.warning(`client ${this.#stream.peer}: ${why}; hanging up`);
    this.#leave();
  }

  get #inTransmission(): boolean {
    return this.#state === "transmission";
  }

  #negotiated(agreement: Agreement<Disk> | undefined): void {
    if (agreement === undefined) {
      this.#leave();
      return;
    }
    this.#state = "transmission";
    this.#attachment = new Attachment(agreement, this.#writer);
    this.#around.log.info(`client ${this.#stream.peer}: attached`);
    this.#reader.handOver(this);
  }

  /** The client wants to go, or has to: what it sent is still answered. */
  #disconnect(): void {
    this.#state = "disconnecting";
    this.#quota.stopWaiting();
    this.#deadline.stop();
    this.#abandonPartial();
    if (this.#quota.inFlight === 0) this.#finish();
  }

  /** Everything is answered: closes as soon as the answers have left. */
  #finish(): void {
    if (this.#writer.backlogBytes === 0) this.#leave();
  }

  /** Answers wait for the client to read them, which a stopped machine may do for hours; but not at the cost of others. */
  #leavesUnread(): void {
    if (!this.#quota.othersWait) {
      this.#unread.complete();
      this.#unread.incomplete(this.#writer.batchesBegun, this.#writer.backlogBytes);
    } else if (this.#state !== "over") {
      this.#hangUp("leaves its answers unread while others wait for memory");
      this.#stream.destroy();
    }
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
    this.#deadline.stop();
    this.#unread.stop();
    this.#quota.stopWaiting();
    this.#abandonPartial();
    // What came before a DISC is carried out even when the client did not wait for the answers.
    if (!polite || this.#quota.inFlight === 0) this.#attachment?.close();
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
    current.releasePayload();
    this.#quota.abandoned(current.reservedBytes);
  }
}
