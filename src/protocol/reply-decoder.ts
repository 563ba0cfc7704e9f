import type { ByteSource } from "./byte-source.ts";
import { MAGIC, SIMPLE_REPLY_HEADER_BYTES } from "./constants.ts";
import { ProtocolViolation } from "./protocol-violation.ts";

/** Who gets the replies of a ReplyDecoder, in pieces and in order. */
export interface ReplySink<Source extends ByteSource> {
  /**
   * A simple reply's header, found at `at`. Returns how many bytes of data follow it, which only the one who sent the
   * request knows. Throws ProtocolViolation when nothing is waiting for that cookie.
   */
  reply(error: number, cookieHigh: number, cookieLow: number, source: Source, at: number): number;
  /** Bytes of the data of the last reply, from `start` up to `end`. */
  data(source: Source, start: number, end: number): void;
  /** The last reply and its data are whole. */
  replyEnd(): void;
}

/** Finds replies in the bytes that a server sends during transmission ("Simple reply message"), in place. */
export class ReplyDecoder<Source extends ByteSource> {
  readonly #sink: ReplySink<Source>;
  /** Data bytes of the current reply that are still to come. */
  #owed = 0;

  constructor(sink: ReplySink<Source>) {
    this.#sink = sink;
  }

  /** Decodes what is whole in [start, end) and returns where the rest, part of a header, begins. Throws ProtocolViolation. */
  decode(source: Source, start: number, end: number): number {
    let at = start;
    for (;;) {
      if (this.#owed > 0) {
        if (at === end) return at;
        const stop = Math.min(end, at + this.#owed);
        this.#owed -= stop - at;
        this.#sink.data(source, at, stop);
        at = stop;
        if (this.#owed > 0) return at;
        this.#sink.replyEnd();
      }
      if (end - at < SIMPLE_REPLY_HEADER_BYTES) return at;
      const { view } = source;
      if (view.getUint32(at) !== MAGIC.SIMPLE_REPLY) {
        throw new ProtocolViolation(`wrong reply magic 0x${view.getUint32(at).toString(16).padStart(8, "0")}`);
      }
      this.#owed = this.#sink.reply(
        view.getUint32(at + 4),
        view.getUint32(at + 8),
        view.getUint32(at + 12),
        source,
        at,
      );
      at += SIMPLE_REPLY_HEADER_BYTES;
      if (this.#owed === 0) this.#sink.replyEnd();
    }
  }
}
