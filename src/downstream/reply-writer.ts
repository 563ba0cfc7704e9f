import type { Piece, Reply } from "../disk.ts";
import { SIMPLE_REPLY_HEADER_BYTES } from "../protocol/constants.ts";
import { encodeSimpleReply, knownError } from "../protocol/simple-reply.ts";
import type { BatchedWriter } from "../transport/batched-writer.ts";
import { HeaderSpace } from "../transport/header-space.ts";
import { Slab } from "../transport/slab.ts";
import type { Slice } from "../transport/slice.ts";

/** Where the zeros of holes come from, for everybody. */
const ZEROS = new Slab(Buffer.alloc(64 * 1024));
/** Headers without a place of their own: enough for a burst. */
const HEADER_SLAB_BYTES = 4096;

/** Turns replies into simple replies ("Simple reply message"), in place where the reply brings the room for the header. */
export class ReplyWriter {
  readonly #writer: BatchedWriter;
  readonly #headers = new HeaderSpace(HEADER_SLAB_BYTES);

  constructor(writer: BatchedWriter) {
    this.#writer = writer;
  }

  /** Sends the reply to the request that the client knows by this cookie. */
  write(reply: Reply, cookieHigh: number, cookieLow: number): void {
    const first = reply.pieces[0];
    const offered = first === undefined ? reply.room : first.kind === "data" ? first.slice : undefined;
    const room = offered !== undefined && offered.headroomBytes >= SIMPLE_REPLY_HEADER_BYTES ? offered : this.#header();
    encodeSimpleReply(
      room.slab.view,
      room.start - SIMPLE_REPLY_HEADER_BYTES,
      knownError(reply.error),
      cookieHigh,
      cookieLow,
    );
    this.#writer.append(room.slab, room.start - SIMPLE_REPLY_HEADER_BYTES, room.start);
    for (const piece of reply.pieces) this.#writePiece(piece);
  }

  #header(): Slice {
    return this.#headers.take(SIMPLE_REPLY_HEADER_BYTES);
  }

  #writePiece(piece: Piece): void {
    if (piece.kind === "data") {
      this.#writer.append(piece.slice.slab, piece.slice.start, piece.slice.end);
      return;
    }
    for (let left = piece.lengthBytes; left > 0; left -= ZEROS.buffer.length) {
      this.#writer.append(ZEROS, 0, Math.min(left, ZEROS.buffer.length));
    }
  }
}
