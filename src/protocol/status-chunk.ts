import { type ChunkAddress, encodeChunkHeader, STATUS_CHUNK_HEADER_BYTES } from "./chunk-header.ts";
import { CHUNK, CHUNK_HEADER_BYTES, EXTENT_BYTES } from "./constants.ts";

/** The length of a BLOCK_STATUS chunk with these extents (pairs of length and flags), in bytes. */
export function statusChunkSizeBytes(extents: Uint32Array): number {
  return STATUS_CHUNK_HEADER_BYTES + (extents.length / 2) * EXTENT_BYTES;
}

/**
 * Writes a BLOCK_STATUS chunk ("Structured reply types") at `at`, with at least one extent, pairs of length and flags:
 *
 *     0        20           24       28      32
 *     | header | context id | length | flags | …
 */
export function encodeStatusChunk(
  view: DataView,
  at: number,
  address: ChunkAddress,
  contextId: number,
  extents: Uint32Array,
): void {
  encodeChunkHeader(view, at, CHUNK.BLOCK_STATUS, address, statusChunkSizeBytes(extents) - CHUNK_HEADER_BYTES);
  view.setUint32(at + CHUNK_HEADER_BYTES, contextId);
  let position = at + STATUS_CHUNK_HEADER_BYTES;
  for (const half of extents) {
    view.setUint32(position, half);
    position += EXTENT_BYTES / 2;
  }
}
