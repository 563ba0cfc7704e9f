import { ChunkedAnswer, type Extent } from "./chunked-answer.ts";
import { helloIn, type ServerHello } from "./server-hello.ts";
import type { WireRequest } from "./wire-parser.ts";

/** What a server really answered to a request, right or wrong. */
export interface Answer {
  readonly request: WireRequest;
  readonly error: number;
  /** What it said of the error. */
  readonly text: string;
  readonly data: Buffer;
  readonly statuses: ReadonlyMap<string, readonly Extent[]>;
}

const READ = 0;
const BLOCK_STATUS = 7;
const ESHUTDOWN = 108;
const NOTHING_MORE = { text: "", statuses: new Map<string, readonly Extent[]>() };

/**
 * Reads all that a server says on one connection, in the plainest way, and tells what it thereby answered: only what comes in
 * order, to requests that were sent over this connection, each once.
 */
export class ReplyWitness {
  readonly #answered: (answer: Answer) => void;
  readonly #asked = new Map<bigint, WireRequest>();
  /** Answers of which some chunks have come. */
  readonly #begun = new Map<bigint, ChunkedAnswer>();
  #bytes: Buffer = Buffer.alloc(0);
  #hello: ServerHello | undefined;
  #senseless = false;

  constructor(answered: (answer: Answer) => void) {
    this.#answered = answered;
  }

  /** What the server said before transmission; undefined when that is not whole. */
  get hello(): ServerHello | undefined {
    return this.#hello;
  }

  /** A request was sent. */
  sent(request: WireRequest): void {
    this.#asked.set(request.cookie, request);
  }

  /** The server's bytes, as they are about to be read. */
  feed(bytes: Buffer): void {
    if (this.#senseless) return;
    this.#bytes = Buffer.concat([this.#bytes, bytes]);
    if (this.#hello === undefined) {
      const hello = helloIn(this.#bytes);
      if (hello === undefined || hello.end > this.#bytes.length) return;
      this.#hello = hello;
      this.#bytes = this.#bytes.subarray(hello.end);
    }
    while (!this.#senseless && this.#reply(this.#hello)) continue;
  }

  #reply(hello: ServerHello): boolean {
    const bytes = this.#bytes;
    if (bytes.length < 16) return false;
    const magic = bytes.readUInt32BE(0);
    const request = this.#asked.get(bytes.readBigUInt64BE(8));
    if (request === undefined) return this.#despair();
    if (magic === 0x67446698) return this.#simple(bytes, request, hello);
    if (magic !== 0x668e33ef || !hello.structured) return this.#despair();
    if (bytes.length < 20) return false;
    const end = 20 + bytes.readUInt32BE(16);
    if (bytes.length < end) return false;
    this.#bytes = bytes.subarray(end);
    return this.#chunk(bytes.subarray(0, end), request, hello);
  }

  #simple(bytes: Buffer, request: WireRequest, { structured }: ServerHello): boolean {
    const error = bytes.readUInt32BE(4);
    const { command, cookie } = request;
    const needsChunks = structured && (command === READ || (command === BLOCK_STATUS && error === 0));
    if (needsChunks || this.#begun.has(cookie) || error === ESHUTDOWN) return this.#despair();
    const end = 16 + (error === 0 && command === READ ? request.length : 0);
    if (bytes.length < end) return false;
    this.#asked.delete(cookie);
    this.#bytes = bytes.subarray(end);
    this.#answered({ request, error, data: bytes.subarray(16, end), ...NOTHING_MORE });
    return true;
  }

  #chunk(bytes: Buffer, request: WireRequest, { contexts, sizeBytes = 0 }: ServerHello): boolean {
    const { cookie } = request;
    const answer = this.#begun.get(cookie) ?? new ChunkedAnswer(request, { contexts, sizeBytes });
    this.#begun.set(cookie, answer);
    const done = (bytes.readUInt16BE(4) & 1) === 1;
    const problem = answer.take(bytes.readUInt16BE(6), done, bytes.subarray(20)) ?? (done ? answer.end() : undefined);
    if (problem !== undefined || (done && answer.error === ESHUTDOWN)) return this.#despair();
    if (!done) return true;
    this.#begun.delete(cookie);
    this.#asked.delete(cookie);
    const { error, text, data, statuses } = answer;
    this.#answered({ request, error, text, data: error === 0 ? data : Buffer.alloc(0), statuses });
    return true;
  }

  /** Nothing that it says counts any more. */
  #despair(): false {
    this.#senseless = true;
    return false;
  }
}
