import { type Blocks, extentsFault } from "./status-findings.ts";
import * as structured from "./structured-wire.ts";
import type { Extent } from "./structured-wire.ts";
import * as wire from "./wire.ts";

/** What a client was told, once the reply was whole. */
export interface Told {
  readonly error: number;
  /** What a READ returned. */
  readonly data: Buffer;
  /** What a BLOCK_STATUS returned, by context. */
  readonly statuses: ReadonlyMap<string, readonly Extent[]>;
}

/** How a client sees one of its requests. */
export interface JudgedRequest {
  readonly request: wire.WireRequest;
  /** The selected metadata contexts by their ids. */
  readonly contexts: ReadonlyMap<number, string>;
  readonly disk: Blocks;
}

const UNTOLD = 0xee;

/** Takes the chunks of one structured reply and is strict about them, as the text is. Throws what is wrong as an Error. */
export class ChunkJudge {
  readonly #asked: JudgedRequest;
  readonly #data: Buffer;
  readonly #covered: Buffer;
  readonly #statuses = new Map<string, readonly Extent[]>();
  #contentChunks = 0;
  #error = 0;

  constructor(asked: JudgedRequest) {
    const { command, length } = asked.request;
    const dataBytes = command === wire.READ ? length : 0;
    this.#asked = asked;
    this.#data = Buffer.alloc(dataBytes, UNTOLD);
    this.#covered = Buffer.alloc(dataBytes);
  }

  /** The longest payload that makes sense. */
  get longestBytes(): number {
    return 8 * 4096 + this.#data.length + 16;
  }

  /** Takes the next chunk; returns what was told when it is the last one. */
  take(flags: number, type: number, payload: Buffer): Told | undefined {
    const done = flags === 1;
    demand(flags <= 1, `a chunk with flags ${flags}`);
    if (type === structured.NONE) demand(done && payload.length === 0, "an empty chunk that is neither empty nor last");
    else if (type === structured.OFFSET_DATA) this.#takeData(payload);
    else if (type === structured.OFFSET_HOLE) this.#takeHole(payload);
    else if (type === structured.STATUS) this.#takeStatus(payload);
    else this.#takeError(type, payload);
    if (!done) return undefined;
    const { request, contexts } = this.#asked;
    if (this.#error === 0) {
      demand(!this.#covered.includes(0), "a READ that does not cover its range");
      const complete = request.command !== structured.BLOCK_STATUS || this.#statuses.size === contexts.size;
      demand(complete, "block status that leaves a context out");
    }
    return { error: this.#error, data: this.#data, statuses: this.#statuses };
  }

  #takeData(payload: Buffer): void {
    demand(payload.length > 8, "a data chunk without data");
    const at = this.#cover(Number(payload.readBigUInt64BE(0)), payload.length - 8);
    payload.copy(this.#data, at, 8);
  }

  #takeHole(payload: Buffer): void {
    demand(payload.length === 12 && payload.readUInt32BE(8) > 0, "a hole of no bytes, or of another form");
    const lengthBytes = payload.readUInt32BE(8);
    const at = this.#cover(Number(payload.readBigUInt64BE(0)), lengthBytes);
    this.#data.fill(0, at, at + lengthBytes);
  }

  #cover(offset: number, lengthBytes: number): number {
    const { request } = this.#asked;
    const at = offset - request.offset;
    demand(request.command === wire.READ, "content that was not asked for");
    demand(at >= 0 && at + lengthBytes <= this.#data.length, "content from outside the range");
    demand(!this.#covered.subarray(at, at + lengthBytes).includes(1), "content twice");
    this.#covered.fill(1, at, at + lengthBytes);
    this.#contentChunks += 1;
    demand((request.flags & structured.DF) === 0 || this.#contentChunks === 1, "fragments in spite of DF");
    return at;
  }

  #takeStatus(payload: Buffer): void {
    const { request, contexts, disk } = this.#asked;
    demand(request.command === structured.BLOCK_STATUS, "block status that was not asked for");
    demand(payload.length >= 4 && payload.length % 8 === 4, "extents that are not whole");
    const name = contexts.get(payload.readUInt32BE(0));
    demand(name !== undefined && !this.#statuses.has(name), "a context that was not selected, or twice");
    const extents: Extent[] = [];
    for (let at = 4; at < payload.length; at += 8)
      extents.push([payload.readUInt32BE(at), payload.readUInt32BE(at + 4)]);
    const fault = extentsFault(name ?? "", extents, request, disk);
    demand(fault === undefined, `${fault}`);
    this.#statuses.set(name ?? "", extents);
  }

  #takeError(type: number, payload: Buffer): void {
    const isKnown = type === structured.ERROR || type === structured.ERROR_OFFSET;
    demand(isKnown && payload.length >= 6, `a chunk of type ${type} with ${payload.length} bytes`);
    const textBytes = payload.readUInt16BE(4);
    demand(payload.length === 6 + textBytes + (type === structured.ERROR_OFFSET ? 8 : 0), "an error of another length");
    demand(payload.readUInt32BE(0) !== 0, "an error that is none");
    this.#error ||= payload.readUInt32BE(0);
  }
}

function demand(holds: boolean, what: string): void {
  if (!holds) throw new Error(what);
}
