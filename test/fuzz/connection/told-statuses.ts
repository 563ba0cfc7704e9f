import type { ContextStatus } from "../../../src/disk.ts";
import { expectThat } from "../support/fuzz-target.ts";
import type { Asked, Extent } from "./chunked-answer.ts";

const REQ_ONE = 8;
const BASE_ALLOCATION = "base:allocation";

/** What must be true of every answer to BLOCK_STATUS, whatever the server said: each context once, and sensible extents. */
export function checkStatuses(statuses: readonly ContextStatus[], asked: Asked, contexts: readonly string[]): void {
  const names = statuses.map(({ context }) => context);
  expectThat(names.toSorted().join("\0") === contexts.toSorted().join("\0"), `told about the contexts ${names.join()}`);
  for (const { extents } of statuses) {
    const list = pairs(extents);
    const bytes = list.reduce((sum, [length]) => sum + length, 0);
    const last = list.at(-1)?.[0] ?? 0;
    expectThat(list.length > 0 && list.every(([length]) => length > 0), "no extents, or empty ones");
    expectThat(bytes - last < asked.length, "an extent behind the end of the request");
    const isOne = list.length === 1 && bytes <= asked.length;
    expectThat((asked.flags & REQ_ONE) === 0 || isOne, "more than REQ_ONE wants");
  }
}

/**
 * Whether these extents are what a server said: no more of it, and with the same flags. Where a write is kept that the server
 * may have lost, `base:allocation` tells of data.
 */
export function toldSo(
  statuses: readonly ContextStatus[],
  said: ReadonlyMap<string, readonly Extent[]>,
  { flags }: Asked,
): boolean {
  return statuses.every(({ context, extents }) => {
    const told = said.get(context);
    if (told === undefined) return false;
    // With REQ_ONE more than one is cut to one.
    const counts = (flags & REQ_ONE) === 0 ? told : told.slice(0, 1);
    return agrees(pairs(extents), counts, context === BASE_ALLOCATION);
  });
}

function agrees(extents: readonly Extent[], told: readonly Extent[], mayBeData: boolean): boolean {
  let at = 0;
  for (const [length, flags] of extents) {
    const end = at + length;
    let position = 0;
    let covered = 0;
    for (const [bytes, said] of told) {
      const shared = Math.min(end, position + bytes) - Math.max(at, position);
      position += bytes;
      if (shared <= 0) continue;
      covered += shared;
      if (said !== flags && !(mayBeData && flags === 0)) return false;
    }
    if (covered !== length) return false;
    at = end;
  }
  return true;
}

function pairs(extents: Uint32Array): Extent[] {
  return Array.from({ length: extents.length / 2 }, (_, index) => [
    extents[2 * index] ?? 0,
    extents[2 * index + 1] ?? 0,
  ]);
}
