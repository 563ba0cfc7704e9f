import type { WireRequest } from "./wire-parser.ts";

/** What a server really answered to a request, right or wrong. */
export interface Answer {
  readonly request: WireRequest;
  readonly error: number;
  readonly data: Buffer;
}

const READ = 0;
const ESHUTDOWN = 108;

/**
 * Reads all that a server says on one connection, in the plainest way, and tells what it thereby answered: only what comes in
 * order, to requests that were sent over this connection, each once.
 */
export class ReplyWitness {
  readonly #answered: (answer: Answer) => void;
  readonly #asked = new Map<bigint, WireRequest>();
  #bytes: Buffer = Buffer.alloc(0);
  #hello: Hello | undefined;
  #senseless = false;

  constructor(answered: (answer: Answer) => void) {
    this.#answered = answered;
  }

  /** The size of the export, as the server told it; undefined when it did not. */
  get sizeBytes(): number | undefined {
    return this.#hello?.sizeBytes;
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
    while (!this.#senseless && this.#reply()) continue;
  }

  #reply(): boolean {
    const bytes = this.#bytes;
    if (bytes.length < 16) return false;
    const error = bytes.readUInt32BE(4);
    const request = this.#asked.get(bytes.readBigUInt64BE(8));
    if (bytes.readUInt32BE(0) !== 0x67446698 || request === undefined || error === ESHUTDOWN) {
      this.#senseless = true;
      return false;
    }
    const end = 16 + (error === 0 && request.command === READ ? request.length : 0);
    if (bytes.length < end) return false;
    this.#asked.delete(request.cookie);
    this.#bytes = bytes.subarray(end);
    this.#answered({ request, error, data: bytes.subarray(16, end) });
    return true;
  }
}

/** What a server said before transmission: where that ends, and how large it says its export is. */
interface Hello {
  readonly end: number;
  readonly sizeBytes: number | undefined;
}

/** The hello to a client that asks with GO; undefined while it is not whole. */
function helloIn(bytes: Buffer): Hello | undefined {
  if (bytes.length < 24) return undefined;
  if (bytes.toString("latin1", 8, 16) !== "IHAVEOPT") return { end: 152, sizeBytes: sizeAt(bytes, 16) };
  const flags = bytes.readUInt16BE(16);
  const fields = (flags & 2) === 0 ? 134 : 10;
  if ((flags & 1) === 0) return { end: 18 + fields, sizeBytes: sizeAt(bytes, 18) };
  let sizeBytes: number | undefined;
  for (let at = 18; at + 20 <= bytes.length;) {
    const type = bytes.readUInt32BE(at + 12);
    const end = at + 20 + bytes.readUInt32BE(at + 16);
    if (type === 1) return { end, sizeBytes };
    if (type === 0x80000001) return { end: end + fields, sizeBytes: sizeAt(bytes, end) };
    const isExport = type === 3 && bytes.length >= end && end - at === 32 && bytes.readUInt16BE(at + 20) === 0;
    if (isExport) sizeBytes = sizeAt(bytes, at + 22);
    at = end;
  }
  return undefined;
}

function sizeAt(bytes: Buffer, at: number): number | undefined {
  return at + 8 <= bytes.length ? Number(bytes.readBigUInt64BE(at)) : undefined;
}
