import type { ByteSource } from "./byte-source.ts";
import { CHUNK, CHUNK_FLAG, CHUNK_HEADER_BYTES, EXTENT_BYTES, MAGIC, SIMPLE_REPLY_HEADER_BYTES } from "./constants.ts";
import { CHUNK_ERROR_LIMIT_BYTES, type ChunkError, decodeChunkError } from "./chunk-error.ts";
import { decodeOffset } from "./offset-field.ts";
import { ProtocolViolation } from "./protocol-violation.ts";

/** What stands before the data of a data chunk, all of a hole, what stands before extents, and the least of an error. */
const OFFSET_BYTES = 8;
const HOLE_BYTES = 12;
const CONTEXT_BYTES = 4;
const ERROR_BYTES = 6;
/** Bit 15 of a chunk's type: set in errors, whether we know them or not. */
const ERROR_BIT = 0x8000;

/** Who gets the replies of a ReplyDecoder, in pieces and in order. All methods may throw ProtocolViolation. */
export interface ReplySink<Source extends ByteSource> {
  /**
   * A simple reply's header, found at `at`. Returns how many bytes of data follow it, which only the one who sent the
   * request knows. Throws ProtocolViolation when nothing is waiting for that cookie.
   */
  reply(error: number, cookieHigh: number, cookieLow: number, source: Source, at: number): number;
  /**
   * A chunk of a structured reply, found at `at`, to which all calls up to `replyEnd` belong: one of the next four, or none of
   * them for NBD_REPLY_TYPE_NONE, which is always `done`. Throws ProtocolViolation when nothing is waiting for that cookie.
   */
  chunk(cookieHigh: number, cookieLow: number, done: boolean, source: Source, at: number): void;
  /** The chunk is data for [offset, offset + lengthBytes) of the export, at least one byte; `data` follows. */
  dataChunk(offset: number, lengthBytes: number): void;
  /** The chunk is a hole in [offset, offset + lengthBytes), at least one byte. */
  holeChunk(offset: number, lengthBytes: number): void;
  /** The chunk is so many extents of one context, at least one; `extents` follows. */
  statusChunk(contextId: number, extents: number): void;
  /** The chunk is an error. */
  errorChunk(error: ChunkError): void;
  /** Bytes of the data of the last reply or chunk, from `start` up to `end`. */
  data(source: Source, start: number, end: number): void;
  /** Whole extents of the last chunk, each `EXTENT_BYTES` long: length in bytes and flags, 32 bits each. */
  extents(source: Source, start: number, end: number): void;
  /** The last reply, or chunk, and its data are whole. */
  replyEnd(): void;
}

/**
 * Finds replies in the bytes that a server sends during transmission, in place: simple ones ("Simple reply message"), and, when
 * they were negotiated, the chunks of structured ones ("Structured reply chunk message").
 */
export class ReplyDecoder<Source extends ByteSource> {
  readonly #sink: ReplySink<Source>;
  readonly #structured: boolean;
  /** Bytes of the current reply or chunk that are still to come, and whether they are extents. */
  #owed = 0;
  #owesExtents = false;

  constructor(sink: ReplySink<Source>, structured: boolean) {
    this.#sink = sink;
    this.#structured = structured;
  }

  /** Decodes what is whole in [start, end) and returns where the rest, part of a header, begins. Throws ProtocolViolation. */
  decode(source: Source, start: number, end: number): number {
    let at = start;
    for (;;) {
      if (this.#owed > 0) {
        if (at === end) return at;
        const stop = this.#forward(source, at, end);
        this.#owed -= stop - at;
        at = stop;
        if (this.#owed > 0) return at;
        this.#sink.replyEnd();
      }
      if (end - at < SIMPLE_REPLY_HEADER_BYTES) return at;
      const magic = source.view.getUint32(at);
      if (magic === MAGIC.SIMPLE_REPLY) at = this.#simple(source, at);
      else if (magic === MAGIC.STRUCTURED_REPLY && this.#structured) {
        const next = this.#chunk(source, at, end);
        if (next === at) return at;
        at = next;
      } else throw new ProtocolViolation(`wrong reply magic 0x${magic.toString(16).padStart(8, "0")}`);
      if (this.#owed === 0) this.#sink.replyEnd();
    }
  }

  /** Hands out what is there of the data or the extents; returns up to where. */
  #forward(source: Source, at: number, end: number): number {
    const available = Math.min(end - at, this.#owed);
    if (!this.#owesExtents) {
      this.#sink.data(source, at, at + available);
      return at + available;
    }
    const whole = available - (available % EXTENT_BYTES);
    if (whole > 0) this.#sink.extents(source, at, at + whole);
    return at + whole;
  }

  #simple(source: Source, at: number): number {
    const { view } = source;
    this.#owesExtents = false;
    this.#owed = this.#sink.reply(view.getUint32(at + 4), view.getUint32(at + 8), view.getUint32(at + 12), source, at);
    return at + SIMPLE_REPLY_HEADER_BYTES;
  }

  /** Takes a chunk's header with the fixed fields behind it, as far as they are there; returns where the rest begins. */
  #chunk(source: Source, at: number, end: number): number {
    if (end - at < CHUNK_HEADER_BYTES) return at;
    const { view } = source;
    const type = view.getUint16(at + 6);
    const lengthBytes = view.getUint32(at + 16);
    const done = (view.getUint16(at + 4) & CHUNK_FLAG.DONE) !== 0;
    const fixedBytes = fixedPart(type, lengthBytes, done);
    if (end - at < CHUNK_HEADER_BYTES + fixedBytes) return at;
    this.#sink.chunk(view.getUint32(at + 8), view.getUint32(at + 12), done, source, at);
    const fields = at + CHUNK_HEADER_BYTES;
    this.#owesExtents = type === CHUNK.BLOCK_STATUS;
    this.#owed = lengthBytes - fixedBytes;
    if (type === CHUNK.OFFSET_DATA) this.#sink.dataChunk(decodeOffset(view, fields), this.#owed);
    else if (type === CHUNK.OFFSET_HOLE) this.#sink.holeChunk(decodeOffset(view, fields), holeSizeAt(view, fields + 8));
    else if (type === CHUNK.BLOCK_STATUS) this.#sink.statusChunk(view.getUint32(fields), this.#owed / EXTENT_BYTES);
    else if (type !== CHUNK.NONE) this.#sink.errorChunk(decodeChunkError(view, fields, type, lengthBytes));
    return fields + fixedBytes;
  }
}

/** The bytes of a chunk's payload that are decoded as one; the rest is data or extents. Throws ProtocolViolation. */
function fixedPart(type: number, lengthBytes: number, done: boolean): number {
  switch (type) {
    case CHUNK.NONE:
      demand(lengthBytes === 0 && done, type, lengthBytes);
      return 0;
    case CHUNK.OFFSET_DATA:
      demand(lengthBytes > OFFSET_BYTES, type, lengthBytes);
      return OFFSET_BYTES;
    case CHUNK.OFFSET_HOLE:
      demand(lengthBytes === HOLE_BYTES, type, lengthBytes);
      return HOLE_BYTES;
    case CHUNK.BLOCK_STATUS:
      demand(lengthBytes > CONTEXT_BYTES && (lengthBytes - CONTEXT_BYTES) % EXTENT_BYTES === 0, type, lengthBytes);
      return CONTEXT_BYTES;
    default: {
      // An error that we don't know is one all the same; anything else that we don't know may be meant to be data.
      const isError = (type & ERROR_BIT) !== 0;
      demand(isError && lengthBytes >= ERROR_BYTES && lengthBytes <= CHUNK_ERROR_LIMIT_BYTES, type, lengthBytes);
      return lengthBytes;
    }
  }
}

function demand(fits: boolean, type: number, lengthBytes: number): void {
  if (!fits) throw new ProtocolViolation(`a reply chunk of type ${type} with ${lengthBytes} bytes`);
}

function holeSizeAt(view: DataView, at: number): number {
  const sizeBytes = view.getUint32(at);
  if (sizeBytes === 0) throw new ProtocolViolation("a hole of no bytes");
  return sizeBytes;
}
