import assert from "node:assert";
import type { Reply } from "../disk.ts";
import type { ChunkError } from "../protocol/chunk-error.ts";
import type { Negotiation } from "../protocol/client-handshake.ts";
import {
  CHUNK_HEADER_BYTES,
  COMMAND,
  DATA_CHUNK_HEADER_BYTES,
  SIMPLE_REPLY_HEADER_BYTES,
} from "../protocol/constants.ts";
import { ProtocolViolation } from "../protocol/protocol-violation.ts";
import { ReplyDecoder, type ReplySink } from "../protocol/reply-decoder.ts";
import type { Slab } from "../transport/slab.ts";
import { Slice } from "../transport/slice.ts";
import type { InFlight } from "./in-flight.ts";
import { ReceivedData } from "./received-data.ts";
import { ReplyAssembly } from "./reply-assembly.ts";
import type { StatusFrame } from "./status-assembly.ts";

/** Where a ReplyReceiver has requests from, and hands their replies to. */
export interface ReplyReceiverOwner {
  /** The request that waits for that cookie's reply. Throws ProtocolViolation when there is none. */
  expected(cookieHigh: number, cookieLow: number): InFlight;
  /** A whole reply. It is good during the call. */
  received(entry: InFlight, reply: Reply): void;
}

/**
 * Makes whole replies of what a server sends over one connection. Structured ones may come chunk by chunk, several of them at
 * once; most come in one go, like simple ones, and are handed on as they lie in their slabs.
 */
export class ReplyReceiver implements ReplySink<Slab> {
  readonly #owner: ReplyReceiverOwner;
  readonly #structured: boolean;
  readonly #frame: StatusFrame;
  readonly #decoder: ReplyDecoder<Slab>;
  /** Replies of which some chunks have come. */
  readonly #assemblies = new Map<InFlight, ReplyAssembly>();
  /** The request whose reply, or chunk, is under way. */
  #entry: InFlight | undefined;
  /** What the chunk under way is a part of; undefined when it is a reply by itself. */
  #assembly: ReplyAssembly | undefined;
  #isSimple = true;
  #isDone = true;
  #error = 0;
  /** Its header: so many bytes, and where they end. */
  #headerSlab: Slab | undefined;
  #headerEnd = 0;
  #headerBytes = 0;
  /** The data of a reply that comes in one go. */
  readonly #data = new ReceivedData();

  constructor({ structuredReplies, contextNames, geometry }: Negotiation, owner: ReplyReceiverOwner) {
    this.#owner = owner;
    this.#structured = structuredReplies;
    this.#frame = { contextNames, sizeBytes: geometry.sizeBytes };
    this.#decoder = new ReplyDecoder<Slab>(this, structuredReplies);
  }

  /** Takes bytes as they come; returns up to where they were understood. Throws ProtocolViolation. */
  consume(slab: Slab, start: number, end: number): number {
    return this.#decoder.decode(slab, start, end);
  }

  /** Lets go of all replies that are not whole; nothing may come any more. */
  release(): void {
    for (const assembly of this.#assemblies.values()) assembly.release();
    this.#assemblies.clear();
    this.#data.release();
  }

  reply(error: number, cookieHigh: number, cookieLow: number, slab: Slab, at: number): number {
    const entry = this.#owner.expected(cookieHigh, cookieLow);
    const { command } = entry;
    if ((this.#structured && command === COMMAND.READ) || (command === COMMAND.BLOCK_STATUS && error === 0)) {
      throw new ProtocolViolation(`a simple reply to command ${command}, which needs a structured one`);
    }
    this.#begin(entry, slab, at, SIMPLE_REPLY_HEADER_BYTES);
    if (this.#assembly !== undefined) throw new ProtocolViolation("a simple reply to what was begun in chunks");
    this.#isSimple = true;
    this.#isDone = true;
    this.#error = error;
    this.#data.begin(slab, this.#headerEnd, SIMPLE_REPLY_HEADER_BYTES);
    return error === 0 && command === COMMAND.READ ? entry.length : 0;
  }

  chunk(cookieHigh: number, cookieLow: number, done: boolean, slab: Slab, at: number): void {
    this.#begin(this.#owner.expected(cookieHigh, cookieLow), slab, at, CHUNK_HEADER_BYTES);
    this.#data.begin(slab, at + DATA_CHUNK_HEADER_BYTES, DATA_CHUNK_HEADER_BYTES);
    this.#isSimple = false;
    this.#isDone = done;
    this.#error = 0;
    this.#assembly?.chunk();
  }

  dataChunk(offset: number, lengthBytes: number): void {
    const entry = this.#entry;
    const isAll = offset === entry?.offset && lengthBytes === entry.length && entry.command === COMMAND.READ;
    const slab = this.#headerSlab;
    // What it has for its headroom is no room for anything else.
    this.#headerSlab = undefined;
    if (isAll && this.#isDone && this.#assembly === undefined) return;
    assert(slab !== undefined, "data of a chunk that did not begin");
    const dataAt = this.#headerEnd + DATA_CHUNK_HEADER_BYTES - CHUNK_HEADER_BYTES;
    const header = new Slice(slab, dataAt, dataAt, DATA_CHUNK_HEADER_BYTES);
    this.#assemble().dataChunk(offset, lengthBytes, header, !this.#isDone);
  }

  holeChunk(offset: number, lengthBytes: number): void {
    this.#assemble().holeChunk(offset, lengthBytes);
  }

  statusChunk(contextId: number): void {
    this.#assemble().statusChunk(contextId);
    // When the last of the extents has come, the slab of the header may be gone.
    this.#headerSlab = undefined;
  }

  errorChunk(error: ChunkError): void {
    this.#assemble().errorChunk(error);
  }

  data(slab: Slab, start: number, end: number): void {
    if (this.#assembly === undefined) this.#data.append(slab, start, end);
    else this.#assembly.append(slab, start, end);
  }

  extents(slab: Slab, start: number, end: number): void {
    this.#assembly?.extents(slab, start, end);
  }

  replyEnd(): void {
    const entry = this.#entry;
    if (entry === undefined) return;
    const { isEmpty } = this.#data;
    // Without a word about what was asked for it may be no answer at all.
    if (!this.#isSimple && isEmpty && entry.readLike) this.#assemble();
    if (this.#assembly !== undefined) {
      if (this.#isDone) this.#finish(entry, this.#assembly);
      return;
    }
    const room = isEmpty ? this.#room : undefined;
    this.#owner.received(entry, { error: this.#error, pieces: this.#data.pieces(), room });
    this.#data.release();
  }

  #begin(entry: InFlight, slab: Slab, at: number, headerBytes: number): void {
    this.#entry = entry;
    // Nearly always there is none, and this is on the way of every reply.
    this.#assembly = this.#assemblies.size === 0 ? undefined : this.#assemblies.get(entry);
    this.#headerSlab = slab;
    this.#headerEnd = at + headerBytes;
    this.#headerBytes = headerBytes;
  }

  /** What the chunk under way is a part of. */
  #assemble(): ReplyAssembly {
    if (this.#assembly !== undefined) return this.#assembly;
    assert(this.#entry !== undefined, "a chunk that did not begin");
    const assembly = new ReplyAssembly(this.#entry, this.#frame);
    this.#assemblies.set(this.#entry, assembly);
    this.#assembly = assembly;
    assembly.chunk();
    return assembly;
  }

  #finish(entry: InFlight, assembly: ReplyAssembly): void {
    const reply = assembly.finish(this.#room);
    this.#assemblies.delete(entry);
    this.#owner.received(entry, reply);
    assembly.release();
  }

  /** Where the header of another reply may be written in place of this one's. */
  get #room(): Slice | undefined {
    if (this.#headerSlab === undefined) return undefined;
    return new Slice(this.#headerSlab, this.#headerEnd, this.#headerEnd, this.#headerBytes);
  }
}
