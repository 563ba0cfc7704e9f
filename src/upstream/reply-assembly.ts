import assert from "node:assert";
import type { ErrorDetail, Piece, Reply } from "../disk.ts";
import { type Range, SortedRanges } from "../durability/sorted-ranges.ts";
import { LIMITS } from "../limits.ts";
import type { ChunkError } from "../protocol/chunk-error.ts";
import { COMMAND, DATA_CHUNK_HEADER_BYTES } from "../protocol/constants.ts";
import { ProtocolViolation } from "../protocol/protocol-violation.ts";
import { Slab } from "../transport/slab.ts";
import type { Slice } from "../transport/slice.ts";
import { ReceivedData } from "./received-data.ts";
import { StatusAssembly, type StatusFrame } from "./status-assembly.ts";

/** The request whose reply comes in chunks. */
export interface AssembledRequest {
  readonly command: number;
  readonly flags: number;
  readonly offset: number;
  readonly length: number;
}

/** What one chunk had to say of its range: data, or a hole. */
interface Part extends Range {
  readonly data: ReceivedData | undefined;
}

const NO_PIECES: readonly Piece[] = [];

/**
 * The reply to one request, chunk by chunk, until it is whole ("Structured reply chunk message"). It holds no more than what
 * the request asked for, in at most so many chunks; the first error makes all of it an error. All methods may throw
 * ProtocolViolation; `release` must be called in any case.
 */
export class ReplyAssembly {
  readonly #request: AssembledRequest;
  readonly #frame: StatusFrame;
  readonly #parts = new SortedRanges<Part>();
  #partBytes = 0;
  #chunksLeft: number;
  #statuses: StatusAssembly | undefined;
  #error: ChunkError | undefined;
  /** Where the data of the chunk under way goes; undefined when nobody needs it. */
  #data: ReceivedData | undefined;
  /** The copy that is made of it, and up to where. */
  #copy: Slab | undefined;
  #copyEnd = 0;

  constructor(request: AssembledRequest, frame: StatusFrame) {
    this.#request = request;
    this.#frame = frame;
    this.#chunksLeft = LIMITS.chunks + Math.floor(request.length / LIMITS.chunkBytes);
  }

  /** A chunk begins. */
  chunk(): void {
    this.#chunksLeft -= 1;
    if (this.#chunksLeft < 0) throw new ProtocolViolation("a reply in too many chunks");
    this.#data = undefined;
    this.#dropCopy();
  }

  /**
   * It is data for that range, and the data is what follows `header`, an empty slice behind the header with the header as its
   * headroom. Of a chunk that `waits` for others a small one is copied: it must not keep a whole slab.
   */
  dataChunk(offset: number, lengthBytes: number, header: Slice, waits: boolean): void {
    const data = new ReceivedData();
    this.#claim(offset, lengthBytes, data);
    if (this.#error !== undefined) return;
    this.#data = data;
    if (waits && lengthBytes < header.slab.buffer.length / 4) {
      this.#copy = new Slab(Buffer.allocUnsafeSlow(DATA_CHUNK_HEADER_BYTES + lengthBytes));
      this.#copyEnd = DATA_CHUNK_HEADER_BYTES;
      data.begin(this.#copy, DATA_CHUNK_HEADER_BYTES, DATA_CHUNK_HEADER_BYTES);
    } else data.begin(header.slab, header.start, header.headroomBytes);
  }

  /** Bytes of its data. */
  append(slab: Slab, start: number, end: number): void {
    const copy = this.#copy;
    if (copy === undefined) {
      this.#data?.append(slab, start, end);
      return;
    }
    const from = this.#copyEnd;
    this.#copyEnd += slab.buffer.copy(copy.buffer, from, start, end);
    this.#data?.append(copy, from, this.#copyEnd);
  }

  /** It is a hole. */
  holeChunk(offset: number, lengthBytes: number): void {
    this.#claim(offset, lengthBytes, undefined);
  }

  /** It is an error: whatever else comes is dropped. */
  errorChunk(error: ChunkError): void {
    this.#error ??= error;
    this.#drop();
  }

  /** It has extents of that context, which follow. */
  statusChunk(contextId: number): void {
    if (this.#request.command !== COMMAND.BLOCK_STATUS) {
      throw new ProtocolViolation(`block status in a reply to command ${this.#request.command}`);
    }
    this.#statuses ??= new StatusAssembly(this.#request, this.#frame);
    this.#statuses.begin(contextId);
  }

  /** Some of them, whole ones. */
  extents(slab: Slab, start: number, end: number): void {
    this.#statuses?.extents(slab, start, end);
  }

  /** The last chunk is whole: the reply, which is good until `release`. `room` is where its header may be written. */
  finish(room: Slice | undefined): Reply {
    const { command, length } = this.#request;
    if (this.#error !== undefined) return errorReply(this.#error, this.#request, room);
    if (command === COMMAND.BLOCK_STATUS) {
      const statuses = (this.#statuses ?? new StatusAssembly(this.#request, this.#frame)).finish();
      return { error: 0, pieces: NO_PIECES, room, statuses };
    }
    if (command === COMMAND.READ && this.#partBytes < length) {
      throw new ProtocolViolation(`a reply with ${this.#partBytes} of ${length} bytes`);
    }
    if (this.#partBytes > 0) return { error: 0, pieces: this.#pieces(), room: undefined };
    return { error: 0, pieces: NO_PIECES, room };
  }

  /** Lets go of all memory. */
  release(): void {
    this.#dropCopy();
    this.#drop();
  }

  #pieces(): readonly Piece[] {
    const pieces: Piece[] = [];
    for (const { start, end, data } of this.#parts.all()) {
      if (data === undefined) pieces.push({ kind: "hole", lengthBytes: end - start });
      else pieces.push(...data.pieces());
    }
    return pieces;
  }

  /** A chunk says what is in that range, of at least one byte. */
  #claim(offset: number, lengthBytes: number, data: ReceivedData | undefined): void {
    const { command, offset: start, length } = this.#request;
    if (command !== COMMAND.READ) throw new ProtocolViolation(`data in a reply to command ${command}`);
    const end = offset + lengthBytes;
    if (offset < start || end > start + length) {
      throw new ProtocolViolation(`a chunk of ${lengthBytes} bytes at ${offset}, outside of what was asked for`);
    }
    if (!this.#parts.insert({ start: offset, end, data })) {
      throw new ProtocolViolation(`two chunks overlap at ${offset}`);
    }
    this.#partBytes += lengthBytes;
    assert(this.#partBytes <= length, "chunks that do not overlap are longer than what they are in");
  }

  #dropCopy(): void {
    this.#copy?.release();
    this.#copy = undefined;
  }

  #drop(): void {
    this.#data = undefined;
    for (const { data } of this.#parts.all()) data?.release();
  }
}

/** The reply that an error chunk makes. What it says of a place outside of the request is no use to anybody. */
function errorReply({ error, text, offset }: ChunkError, request: AssembledRequest, room: Slice | undefined): Reply {
  const isInside = offset !== undefined && offset >= request.offset && offset < request.offset + request.length;
  const detail: ErrorDetail = { text, offset: isInside ? offset : undefined };
  const reply = { error, pieces: NO_PIECES, room };
  return text === "" && !isInside ? reply : { ...reply, detail };
}
