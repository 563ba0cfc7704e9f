import { isZero } from "./chunked-read.ts";
import type { ModelDisk } from "./model-disk.ts";
import { dirtyFlags } from "./model-contexts.ts";
import type { SeededRandom } from "./seeded-random.ts";
import * as structured from "./structured-wire.ts";
import type { Extent } from "./structured-wire.ts";
import type { WireRequest } from "./wire.ts";

/**
 * What the model server says of a range in one context: true at this moment, but not always all that it could say, nor in
 * as few extents as it could. Without REQ_ONE it may go on behind the range, up to the end of the disk.
 */
export function blockExtents(
  disk: ModelDisk,
  context: string,
  { offset, length, flags }: WireRequest,
  random: SeededRandom,
): Extent[] {
  // Some servers forget about REQ_ONE.
  const one = (flags & structured.REQ_ONE) !== 0 && random.chance(0.9);
  const end = offset + length;
  const grain = random.chance(0.8) ? disk.blockBytes : 1;
  const behind = one || random.chance(0.5) ? 0 : random.integer((disk.sizeBytes - end) / grain + 1) * grain;
  const limit = end + behind;
  const extents: Extent[] = [];
  for (const extent of pieces(disk, context, [offset, limit], random)) {
    const last = extents.at(-1);
    if (last?.[1] === extent[1] && random.chance(0.8)) extents[extents.length - 1] = [last[0] + extent[0], last[1]];
    else extents.push(extent);
  }
  const count = one ? 1 : random.chance(0.7) ? extents.length : 1 + random.integer(extents.length);
  return extents.slice(0, count);
}

/** Block by block, sometimes half of one. */
function* pieces(
  disk: ModelDisk,
  context: string,
  [from, to]: readonly [number, number],
  random: SeededRandom,
): Generator<Extent> {
  const { blockBytes } = disk;
  const { HOLE_FLAG, ZERO_FLAG } = structured;
  const zeros = [ZERO_FLAG, ZERO_FLAG | HOLE_FLAG];
  const usual = random.pick(zeros);
  let at = from;
  while (at < to) {
    const block = Math.floor(at / blockBytes);
    const whole = Math.min(to, (block + 1) * blockBytes) - at;
    const lengthBytes = random.chance(0.9) ? whole : 1 + random.integer(whole);
    // It need not know that there are zeros.
    const ifZero = random.chance(0.8) ? usual : random.pick([0, ...zeros]);
    const allocation = isZeroAt(disk, at, lengthBytes) ? ifZero : 0;
    yield [lengthBytes, context === structured.BASE_ALLOCATION ? allocation : dirtyFlags(block)];
    at += lengthBytes;
  }
}

function isZeroAt(disk: ModelDisk, offset: number, lengthBytes: number): boolean {
  const bytes = Buffer.allocUnsafe(lengthBytes);
  disk.read(offset, bytes);
  return isZero(bytes);
}
