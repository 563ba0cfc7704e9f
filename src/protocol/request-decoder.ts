import type { ByteSource } from "./byte-source.ts";
import { COMMAND, REQUEST_HEADER_BYTES } from "./constants.ts";
import { decodeRequestHeader, type RequestHeader } from "./request-header.ts";

/** Who gets the requests of a RequestDecoder, in pieces and in order. */
export interface RequestSink<Source extends ByteSource> {
  /**
   * A header, found at `at`. `header` is good during the call only. False: not now; the same header comes again with the
   * next `decode`.
   */
  request(header: Readonly<RequestHeader>, source: Source, at: number): boolean;
  /** Bytes of the payload of the last request, from `start` up to `end`. */
  payload(source: Source, start: number, end: number): void;
  /** The last request and its payload are whole. */
  requestEnd(): void;
}

/** Finds requests in the bytes that a client sends during transmission ("Request message"), in place. */
export class RequestDecoder<Source extends ByteSource> {
  readonly #sink: RequestSink<Source>;
  readonly #header: RequestHeader = { flags: 0, command: 0, cookieHigh: 0, cookieLow: 0, offset: 0, length: 0 };
  /** Payload bytes of the current request that are still to come. */
  #owed = 0;
  #whole = 0;

  constructor(sink: RequestSink<Source>) {
    this.#sink = sink;
  }

  /** Payload bytes of a request that has begun, and are still to come. */
  get owedBytes(): number {
    return this.#owed;
  }

  /** How many requests were whole so far. */
  get wholeRequests(): number {
    return this.#whole;
  }

  /**
   * Decodes what is whole in [start, end) and returns where the rest begins: part of a header, or a request that the sink
   * refused for now. Throws ProtocolViolation.
   */
  decode(source: Source, start: number, end: number): number {
    let at = start;
    for (;;) {
      if (this.#owed > 0) {
        if (at === end) return at;
        const stop = Math.min(end, at + this.#owed);
        this.#owed -= stop - at;
        this.#sink.payload(source, at, stop);
        at = stop;
        if (this.#owed > 0) return at;
        this.#whole += 1;
        this.#sink.requestEnd();
      }
      if (end - at < REQUEST_HEADER_BYTES) return at;
      const header = this.#header;
      decodeRequestHeader(source.view, at, header);
      if (!this.#sink.request(header, source, at)) return at;
      at += REQUEST_HEADER_BYTES;
      if (header.command === COMMAND.WRITE && header.length > 0) this.#owed = header.length;
      else {
        this.#whole += 1;
        this.#sink.requestEnd();
      }
    }
  }
}
