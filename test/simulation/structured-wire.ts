/** The part of the simulation's second codec that is about structured replies and metadata contexts. */

import { u16, u32, u64 } from "./wire.ts";

export const STRUCTURED_REPLY = 8;
export const LIST_META_CONTEXT = 9;
export const SET_META_CONTEXT = 10;
export const REP_META_CONTEXT = 4;
export const ERR_INVALID = 0x80000003;

export const BLOCK_STATUS = 7;
export const DF = 4;
export const REQ_ONE = 8;
/** The transmission flag that offers DF. */
export const OFFERS_DF = 128;

export const CHUNK_MAGIC = 0x668e33ef;
export const NONE = 0;
export const OFFSET_DATA = 1;
export const OFFSET_HOLE = 2;
export const STATUS = 5;
export const ERROR = 0x8001;
export const ERROR_OFFSET = 0x8002;

export const BASE_ALLOCATION = "base:allocation";
export const HOLE_FLAG = 1;
export const ZERO_FLAG = 2;

/** One chunk of a structured reply, without its header. */
export interface WireChunk {
  readonly type: number;
  readonly payload: Buffer;
}

/** A length in bytes and flags. */
export type Extent = readonly [lengthBytes: number, flags: number];

/** A chunk as it goes over the wire. */
export function chunkBytes(cookie: bigint, { type, payload }: WireChunk, done: boolean): Buffer {
  const fields = [u32(CHUNK_MAGIC), u16(done ? 1 : 0), u16(type), u64(cookie), u32(payload.length), payload];
  return Buffer.concat(fields);
}

/** The only chunk of a reply that says nothing but success. */
export function noneChunk(): WireChunk {
  return { type: NONE, payload: Buffer.alloc(0) };
}

/** Data that begins at `offset` of the export. */
export function dataChunk(offset: number, data: Buffer): WireChunk {
  return { type: OFFSET_DATA, payload: Buffer.concat([u64(offset), data]) };
}

/** Zeros from `offset` of the export on. */
export function holeChunk(offset: number, lengthBytes: number): WireChunk {
  return { type: OFFSET_HOLE, payload: Buffer.concat([u64(offset), u32(lengthBytes)]) };
}

/** What one context says. */
export function statusChunk(contextId: number, extents: readonly Extent[]): WireChunk {
  const pairs = extents.flatMap(([lengthBytes, flags]) => [u32(lengthBytes), u32(flags)]);
  return { type: STATUS, payload: Buffer.concat([u32(contextId), ...pairs]) };
}

/** An error, of any of the types that have bit 15 set; only ERROR_OFFSET tells where. */
export function errorChunk(type: number, error: number, words: string, offset: number): WireChunk {
  const message = Buffer.from(words);
  const where = type === ERROR_OFFSET ? [u64(offset)] : [];
  return { type, payload: Buffer.concat([u32(error), u16(message.length), message, ...where]) };
}

/** The data of LIST_META_CONTEXT and SET_META_CONTEXT. */
export function contextQuery(exportName: string, queries: readonly string[]): Buffer {
  return Buffer.concat([...text(exportName), u32(queries.length), ...queries.flatMap(text)]);
}

/** Reads that data; throws when it is not what the text says. */
export function parseContextQuery(data: Buffer): { readonly exportName: string; readonly queries: readonly string[] } {
  let at = 0;
  const take = (): string => {
    const length = data.readUInt32BE(at);
    at += 4 + length;
    if (at > data.length) throw new RangeError("a string is longer than the option's data");
    return data.toString("utf8", at - length, at);
  };
  const exportName = take();
  const count = data.readUInt32BE(at);
  at += 4;
  const queries = Array.from({ length: count }, take);
  if (at !== data.length) throw new RangeError("the option's data goes on behind its queries");
  return { exportName, queries };
}

/** A server's word on one context. */
export function contextReply(id: number, name: string): Buffer {
  return Buffer.concat([u32(id), Buffer.from(name)]);
}

function text(value: string): readonly Buffer[] {
  const bytes = Buffer.from(value);
  return [u32(bytes.length), bytes];
}
