import type { Piece } from "../disk.ts";
import { SIMPLE_REPLY_HEADER_BYTES } from "../protocol/constants.ts";
import type { RequestHeader } from "../protocol/request-header.ts";
import { encodeSimpleReply } from "../protocol/simple-reply.ts";
import type { BatchedWriter } from "../transport/batched-writer.ts";
import { HeaderSpace } from "../transport/header-space.ts";
import { Slab } from "../transport/slab.ts";
import { Slice } from "../transport/slice.ts";

/** Where the zeros of holes come from, for everybody. */
const ZEROS = new Slab(Buffer.alloc(64 * 1024));
/** Headers without a place of their own: enough for a burst. */
const HEADER_SLAB_BYTES = 4096;
/** Messages up to this length share memory, so that many of them leave as one. */
const SHARED_BYTES = 512;

/** The way out for the replies to one client: headers in place where there is room, data from where it lies, zeros for holes. */
export class ReplyOutlet {
  readonly #writer: BatchedWriter;
  readonly #headers = new HeaderSpace(HEADER_SLAB_BYTES);

  constructor(writer: BatchedWriter) {
    this.#writer = writer;
  }

  /** A slice with the headroom for a header of so many bytes, which is to be written there: `offered`, when it has as much. */
  room(offered: Slice | undefined, headerBytes: number): Slice {
    return offered !== undefined && offered.headroomBytes >= headerBytes ? offered : this.#headers.take(headerBytes);
  }

  /** Sends the header that was written right before a slice. */
  header(room: Slice, headerBytes: number): void {
    this.#writer.append(room.slab, room.start - headerBytes, room.start);
  }

  /** Sends the header that was written right before a slice, and the slice. */
  withHeader(slice: Slice, headerBytes: number): void {
    this.#writer.append(slice.slab, slice.start - headerBytes, slice.end);
  }

  /** Memory for a whole message of so many bytes, which is to be written there; `message` sends it. */
  space(lengthBytes: number): Slice {
    if (lengthBytes > SHARED_BYTES) return new Slice(new Slab(Buffer.allocUnsafe(lengthBytes)), 0, lengthBytes, 0);
    const { slab, start } = this.#headers.take(lengthBytes);
    return new Slice(slab, start - lengthBytes, start, 0);
  }

  /** Sends the message that was written into a space. */
  message(space: Slice): void {
    this.#writer.append(space.slab, space.start, space.end);
  }

  /** Sends the header of a simple reply, in the headroom of `offered` when there is enough. `error` as the client gets it. */
  simpleReply(offered: Slice | undefined, error: number, { cookieHigh, cookieLow }: Readonly<RequestHeader>): void {
    const room = this.room(offered, SIMPLE_REPLY_HEADER_BYTES);
    encodeSimpleReply(room.slab.view, room.start - SIMPLE_REPLY_HEADER_BYTES, error, cookieHigh, cookieLow);
    this.header(room, SIMPLE_REPLY_HEADER_BYTES);
  }

  /** Sends what the pieces from `first` up to `next` stand for: bytes, or zeros. */
  pieces(pieces: readonly Piece[], first: number, next: number): void {
    for (let index = first; index < next; index += 1) {
      const piece = pieces[index];
      if (piece !== undefined) this.#piece(piece);
    }
  }

  #piece(piece: Piece): void {
    if (piece.kind === "data") {
      this.#writer.append(piece.slice.slab, piece.slice.start, piece.slice.end);
      return;
    }
    for (let left = piece.lengthBytes; left > 0; left -= ZEROS.buffer.length) {
      this.#writer.append(ZEROS, 0, Math.min(left, ZEROS.buffer.length));
    }
  }
}
