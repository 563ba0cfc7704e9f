import { LIMITS } from "../../../src/limits.ts";

/** A request as far as its answer has to fit to it. */
export interface Asked {
  readonly command: number;
  readonly flags: number;
  readonly offset: number;
  readonly length: number;
}

/** What an answer about metadata contexts has to fit to. */
export interface ContextFrame {
  /** The selected contexts by their ids. */
  readonly contexts: ReadonlyMap<number, string>;
  /** The size of the export. */
  readonly sizeBytes: number;
}

/** A length in bytes, and flags. */
export type Extent = readonly [lengthBytes: number, flags: number];

const READ = 0;
const BLOCK_STATUS = 7;

/** The answer to one request, as it comes chunk by chunk, put together in the plainest way. */
export class ChunkedAnswer {
  readonly asked: Asked;
  readonly #frame: ContextFrame;
  readonly #parts: { readonly offset: number; readonly bytes: Buffer }[] = [];
  readonly statuses = new Map<string, readonly Extent[]>();
  #chunks = 0;
  /** The first error, and what was said of it. */
  error = 0;
  text = "";
  errorOffset: bigint | undefined;

  constructor(asked: Asked, frame: ContextFrame) {
    this.asked = asked;
    this.#frame = frame;
  }

  /** How many chunks had content. */
  get contentChunks(): number {
    return this.#parts.length;
  }

  /** The parts of a READ, in the order in which they came. */
  get parts(): readonly { readonly offset: number; readonly bytes: Buffer }[] {
    return this.#parts;
  }

  /** The data of a READ that was answered with success. */
  get data(): Buffer {
    const sorted = this.#parts.toSorted((one, other) => one.offset - other.offset);
    return Buffer.concat(sorted.map(({ bytes }) => bytes));
  }

  /** Takes a chunk; returns why it can't be a part of the answer. */
  take(type: number, done: boolean, payload: Buffer): string | undefined {
    this.#chunks += 1;
    if (this.#chunks > LIMITS.chunks + this.asked.length / LIMITS.chunkBytes) return "too many chunks";
    if (type === 0) return done && payload.length === 0 ? undefined : "a NONE that is no end";
    if (type === 1) return this.#part(payload, payload.subarray(8));
    if (type === 2) return this.#hole(payload);
    if (type === 5) return this.#status(payload);
    return type >= 0x8000 ? this.#error(type, payload) : `a chunk of type ${type}`;
  }

  /** The last chunk was taken: why that can't be all. */
  end(): string | undefined {
    const { command, length } = this.asked;
    if (this.error !== 0) return undefined;
    const bytes = this.#parts.reduce((sum, part) => sum + part.bytes.length, 0);
    if (command === READ && bytes !== length) return `${bytes} of ${length} bytes`;
    const missing = command === BLOCK_STATUS && this.statuses.size !== this.#frame.contexts.size;
    return missing ? "a context is missing" : undefined;
  }

  #hole(payload: Buffer): string | undefined {
    if (payload.length !== 12) return "a hole of another form";
    const length = payload.readUInt32BE(8);
    return length > this.asked.length ? "a hole that is too long" : this.#part(payload, Buffer.alloc(length));
  }

  #part(payload: Buffer, bytes: Buffer): string | undefined {
    const { command, offset: start, length } = this.asked;
    if (command !== READ) return "content of something that was not read";
    if (payload.length < 8 || bytes.length === 0) return "content of no bytes";
    const place = payload.readBigUInt64BE(0);
    if (place < BigInt(start) || place + BigInt(bytes.length) > BigInt(start) + BigInt(length))
      return "content outside";
    const offset = Number(place);
    const overlaps = this.#parts.some(
      (one) => one.offset < offset + bytes.length && offset < one.offset + one.bytes.length,
    );
    this.#parts.push({ offset, bytes });
    return overlaps ? "content that overlaps" : undefined;
  }

  #status(payload: Buffer): string | undefined {
    if (this.asked.command !== BLOCK_STATUS) return "status that nobody asked for";
    if (payload.length < 12 || payload.length % 8 !== 4) return "extents that are not whole";
    const context = this.#frame.contexts.get(payload.readUInt32BE(0));
    if (context === undefined || this.statuses.has(context)) return "a context that is unknown, or told twice";
    const extents: Extent[] = [];
    let end = this.asked.offset;
    for (let at = 4; at < payload.length; at += 8) {
      const lengthBytes = payload.readUInt32BE(at);
      end += lengthBytes;
      if (lengthBytes === 0 || end > this.#frame.sizeBytes) return "an extent of no bytes, or beyond the end";
      extents.push([lengthBytes, payload.readUInt32BE(at + 4)]);
    }
    this.statuses.set(context, extents);
    return undefined;
  }

  #error(type: number, payload: Buffer): string | undefined {
    if (payload.length < 6 || payload.readUInt32BE(0) === 0) return "an error without an error";
    const end = 6 + payload.readUInt16BE(4);
    if (end > 6 + 4096 || payload.length < end + (type === 0x8002 ? 8 : 0)) return "an error that is cut short";
    if (this.error !== 0) return undefined;
    this.error = payload.readUInt32BE(0);
    this.text = payload.toString("utf8", 6, end).split("\0", 1)[0] ?? "";
    this.errorOffset = type === 0x8002 ? payload.readBigUInt64BE(end) : undefined;
    return undefined;
  }
}
