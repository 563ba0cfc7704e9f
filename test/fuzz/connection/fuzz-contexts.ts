import type { ContextStatus } from "../../../src/disk.ts";

/** The metadata contexts of a fuzzed listener's disk. */
export const FUZZ_CONTEXTS = ["base:allocation", "x-fuzz:mark"] as const;

/** Within one block of this size a context says one thing. */
const BLOCK_BYTES = 2048;
const REQ_ONE = 8;

/** What a context says of a position. */
function markAt(context: string, offset: number): number {
  const block = Math.floor(offset / BLOCK_BYTES);
  return context === FUZZ_CONTEXTS[0] ? block & 3 : (block * 7) >>> 1;
}

/** The answer to a BLOCK_STATUS: whole blocks, the last of which may reach beyond the request, but not beyond the disk. */
export function statusesOf(
  { flags, offset, length }: { readonly flags: number; readonly offset: number; readonly length: number },
  diskBytes: number,
): ContextStatus[] {
  return FUZZ_CONTEXTS.map((context) => {
    const extents: number[] = [];
    for (let at = offset; at < offset + length;) {
      const block = Math.min(BLOCK_BYTES - (at % BLOCK_BYTES), diskBytes - at);
      const one = (flags & REQ_ONE) !== 0;
      extents.push(one ? Math.min(block, offset + length - at) : block, markAt(context, at));
      if (one) break;
      at += block;
    }
    return { context, extents: Uint32Array.from(extents) };
  });
}

/** Whether extents are what a context says from there on. */
export function saysSo(context: string, offset: number, extents: readonly (readonly [number, number])[]): boolean {
  let at = offset;
  for (const [length, mark] of extents) {
    for (const end = at + length; at < end; at = Math.min(end, at + BLOCK_BYTES - (at % BLOCK_BYTES))) {
      if (markAt(context, at) !== mark) return false;
    }
  }
  return true;
}
