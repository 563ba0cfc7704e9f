import { UNKNOWN, ZEROS } from "./block-content.ts";
import { dirtyFlags, DIRTY_BITMAP } from "./model-contexts.ts";
import * as structured from "./structured-wire.ts";
import type { Extent } from "./structured-wire.ts";
import type { WireRequest } from "./wire.ts";

/** A disk of blocks. */
export interface Blocks {
  readonly blocks: number;
  readonly blockBytes: number;
}

/** Why the extents of one context are no answer to a BLOCK_STATUS; undefined when they are. */
export function extentsFault(
  context: string,
  extents: readonly Extent[],
  { offset, length, flags }: WireRequest,
  { blocks, blockBytes }: Blocks,
): string | undefined {
  const one = (flags & structured.REQ_ONE) !== 0;
  if (extents.length === 0) return "no extent";
  if (one && (extents.length > 1 || (extents[0]?.[0] ?? 0) > length)) return "more than one extent, or a longer one";
  let at = offset;
  for (const [lengthBytes, status] of extents) {
    if (lengthBytes === 0) return "an extent of no bytes";
    if (at >= offset + length) return "an extent that begins behind the range";
    const end = at + lengthBytes;
    if (end > blocks * blockBytes) return "an extent beyond the end of the export";
    if (context === structured.BASE_ALLOCATION && (status & ~3) !== 0) return `flags ${status} of base:allocation`;
    for (let block = Math.floor(at / blockBytes); block * blockBytes < end; block += 1) {
      if (context === DIRTY_BITMAP && status !== dirtyFlags(block))
        return `flags ${status} of another block or context`;
    }
    at = end;
  }
  return undefined;
}

/** What the extents of `base:allocation` tell of each block from the request's first one on: that it is zeros, or nothing. */
export function knownBlocks(extents: readonly Extent[], offset: number, blockBytes: number): number[] {
  const zeroBytes: number[] = [];
  const first = Math.floor(offset / blockBytes);
  let at = offset;
  for (const [lengthBytes, status] of extents) {
    const end = at + lengthBytes;
    while (at < end) {
      const block = Math.floor(at / blockBytes);
      const until = Math.min(end, (block + 1) * blockBytes);
      const isZero = (status & structured.ZERO_FLAG) !== 0;
      zeroBytes[block - first] = (zeroBytes[block - first] ?? 0) + (isZero ? until - at : 0);
      at = until;
    }
  }
  return zeroBytes.map((bytes) => (bytes === blockBytes ? ZEROS : UNKNOWN));
}
