import { CHUNK, CHUNK_FLAG, CHUNK_HEADER_BYTES, DATA_CHUNK_HEADER_BYTES, MAGIC } from "./constants.ts";
import { encodeOffset } from "./offset-field.ts";

/** A chunk with a hole, in bytes, */
export const HOLE_CHUNK_BYTES = CHUNK_HEADER_BYTES + 12;
/** and what stands before the extents of a chunk with block status. */
export const STATUS_CHUNK_HEADER_BYTES = CHUNK_HEADER_BYTES + 4;

/** To which request a chunk belongs, and whether it is the last one. */
export interface ChunkAddress {
  readonly cookieHigh: number;
  readonly cookieLow: number;
  readonly done: boolean;
}

/**
 * Writes the fixed part of a chunk ("Structured reply chunk message") at `at`, big-endian:
 *
 *     0       4       6      8        16       20
 *     | magic | flags | type | cookie | length | payload …
 */
export function encodeChunkHeader(
  view: DataView,
  at: number,
  type: number,
  { cookieHigh, cookieLow, done }: ChunkAddress,
  lengthBytes: number,
): void {
  view.setUint32(at, MAGIC.STRUCTURED_REPLY);
  view.setUint16(at + 4, done ? CHUNK_FLAG.DONE : 0);
  view.setUint16(at + 6, type);
  view.setUint32(at + 8, cookieHigh);
  view.setUint32(at + 12, cookieLow);
  view.setUint32(at + 16, lengthBytes);
}

/**
 * Writes what stands before the data of an OFFSET_DATA chunk at `at`, `DATA_CHUNK_HEADER_BYTES` long:
 *
 *     0        20       28
 *     | header | offset | data …
 */
export function encodeDataChunk(
  view: DataView,
  at: number,
  address: ChunkAddress,
  offset: number,
  dataBytes: number,
): void {
  encodeChunkHeader(view, at, CHUNK.OFFSET_DATA, address, DATA_CHUNK_HEADER_BYTES - CHUNK_HEADER_BYTES + dataBytes);
  encodeOffset(view, at + CHUNK_HEADER_BYTES, offset);
}

/**
 * Writes an OFFSET_HOLE chunk at `at`, `HOLE_CHUNK_BYTES` long:
 *
 *     0        20       28     32
 *     | header | offset | size |
 */
export function encodeHoleChunk(
  view: DataView,
  at: number,
  address: ChunkAddress,
  offset: number,
  holeBytes: number,
): void {
  encodeChunkHeader(view, at, CHUNK.OFFSET_HOLE, address, HOLE_CHUNK_BYTES - CHUNK_HEADER_BYTES);
  encodeOffset(view, at + CHUNK_HEADER_BYTES, offset);
  view.setUint32(at + DATA_CHUNK_HEADER_BYTES, holeBytes);
}
