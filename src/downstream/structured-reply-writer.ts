import assert from "node:assert";
import type { ContextStatus, ErrorDetail, Piece, Reply } from "../disk.ts";
import { encodeErrorChunk } from "../protocol/chunk-error.ts";
import {
  type ChunkAddress,
  encodeChunkHeader,
  encodeDataChunk,
  encodeHoleChunk,
  HOLE_CHUNK_BYTES,
} from "../protocol/chunk-header.ts";
import {
  CHUNK,
  CHUNK_HEADER_BYTES,
  COMMAND,
  COMMAND_FLAG,
  DATA_CHUNK_HEADER_BYTES,
  NBD_ERROR,
} from "../protocol/constants.ts";
import type { SelectedContext } from "../protocol/metadata-context.ts";
import type { RequestHeader } from "../protocol/request-header.ts";
import { knownError } from "../protocol/simple-reply.ts";
import { encodeStatusChunk, statusChunkSizeBytes } from "../protocol/status-chunk.ts";
import type { ReplyOutlet } from "./reply-outlet.ts";
import type { ReplyWriter } from "./reply-writer.ts";

type Header = Readonly<RequestHeader>;

/** One chunk with content, from one piece up to `next`: a hole when there is nothing else in it. */
interface Chunk {
  readonly isHole: boolean;
  readonly lengthBytes: number;
  readonly next: number;
}

/**
 * Says in chunks what belongs into chunks ("Structured reply chunk message"): what was read and where the holes are, block
 * status, and errors of both; errors of other commands when there is more to say than their value. The rest are simple replies.
 */
export class StructuredReplyWriter implements ReplyWriter {
  readonly #out: ReplyOutlet;
  readonly #contexts: readonly SelectedContext[];

  /** `contexts` are those that the client has selected. */
  constructor(out: ReplyOutlet, contexts: readonly SelectedContext[]) {
    this.#out = out;
    this.#contexts = contexts;
  }

  write({ error, pieces, room, statuses, detail }: Reply, request: Header): void {
    const inChunks = request.command === COMMAND.READ || request.command === COMMAND.BLOCK_STATUS;
    if (error !== 0 && (inChunks || detail !== undefined)) this.#error(error, detail, request);
    else if (!inChunks) this.#out.simpleReply(room, knownError(error), request);
    else if (request.command === COMMAND.BLOCK_STATUS) this.#blockStatus(statuses ?? [], request);
    else if (request.length === 0) this.#nothing(request);
    else this.#read(pieces, request);
  }

  #read(pieces: readonly Piece[], request: Header): void {
    const [only] = pieces;
    // Nearly always: all of it is data, in one piece, with room in front of it.
    if (pieces.length === 1 && only?.kind === "data" && only.slice.length === request.length) {
      const { slice } = only;
      if (slice.headroomBytes >= DATA_CHUNK_HEADER_BYTES) {
        const at = slice.start - DATA_CHUNK_HEADER_BYTES;
        encodeDataChunk(slice.slab.view, at, addressOf(request, true), request.offset, request.length);
        this.#out.withHeader(slice, DATA_CHUNK_HEADER_BYTES);
        return;
      }
    }
    const whole = (request.flags & COMMAND_FLAG.DF) !== 0;
    const end = request.offset + request.length;
    let offset = request.offset;
    for (let first = 0; first < pieces.length;) {
      const chunk = chunkAt(pieces, first, whole);
      // An empty chunk would be a violation.
      assert(chunk.lengthBytes > 0, "a piece of a READ without a byte");
      this.#header(pieces[first], chunk, offset, addressOf(request, offset + chunk.lengthBytes === end));
      if (!chunk.isHole) this.#out.pieces(pieces, first, chunk.next);
      offset += chunk.lengthBytes;
      first = chunk.next;
    }
    assert(offset === end, "the pieces of a READ do not have its length");
  }

  /** What stands before the data of a chunk, or all of a hole. */
  #header(first: Piece | undefined, { isHole, lengthBytes }: Chunk, offset: number, address: ChunkAddress): void {
    if (isHole) {
      const space = this.#out.space(HOLE_CHUNK_BYTES);
      encodeHoleChunk(space.slab.view, space.start, address, offset, lengthBytes);
      this.#out.message(space);
      return;
    }
    const room = this.#out.room(first?.kind === "data" ? first.slice : undefined, DATA_CHUNK_HEADER_BYTES);
    encodeDataChunk(room.slab.view, room.start - DATA_CHUNK_HEADER_BYTES, address, offset, lengthBytes);
    this.#out.header(room, DATA_CHUNK_HEADER_BYTES);
  }

  /** The answer to a READ of no bytes: content chunks can't be empty. */
  #nothing(request: Header): void {
    const space = this.#out.space(CHUNK_HEADER_BYTES);
    encodeChunkHeader(space.slab.view, space.start, CHUNK.NONE, addressOf(request, true), 0);
    this.#out.message(space);
  }

  #blockStatus(statuses: readonly ContextStatus[], request: Header): void {
    const found: { readonly id: number; readonly extents: Uint32Array }[] = [];
    for (const { id, name } of this.#contexts) {
      const status = statuses.find(({ context }) => context === name);
      if (status === undefined) {
        const text = `the server does not tell about ${name} any more`;
        this.#error(NBD_ERROR.EINVAL, { text, offset: undefined }, request);
        return;
      }
      found.push({ id, extents: status.extents });
    }
    for (const [index, { id, extents }] of found.entries()) {
      const space = this.#out.space(statusChunkSizeBytes(extents));
      encodeStatusChunk(space.slab.view, space.start, addressOf(request, index === found.length - 1), id, extents);
      this.#out.message(space);
    }
  }

  #error(error: number, detail: ErrorDetail | undefined, request: Header): void {
    const { text = "", offset } = detail ?? {};
    // A place that was not asked for tells nobody anything, and some clients would take it for a violation.
    const within = offset !== undefined && offset >= request.offset && offset < request.offset + request.length;
    const said = { error: knownError(error), text, offset: within ? offset : undefined };
    const chunk = encodeErrorChunk(addressOf(request, true), said);
    const space = this.#out.space(chunk.length);
    chunk.copy(space.slab.buffer, space.start);
    this.#out.message(space);
  }
}

/** Which pieces make up the chunk that begins with the one at `first`: all that are left, or those that belong together. */
function chunkAt(pieces: readonly Piece[], first: number, whole: boolean): Chunk {
  let isHole = true;
  let lengthBytes = 0;
  let next = first;
  for (let piece = pieces[next]; piece !== undefined; piece = pieces[next]) {
    const belongs = piece.kind === "hole" ? isHole : !isHole && piece.continues === true;
    if (next > first && !whole && !belongs) break;
    isHole &&= piece.kind === "hole";
    lengthBytes += piece.kind === "data" ? piece.slice.length : piece.lengthBytes;
    next += 1;
  }
  return { isHole, lengthBytes, next };
}

function addressOf({ cookieHigh, cookieLow }: Header, done: boolean): ChunkAddress {
  return { cookieHigh, cookieLow, done };
}
