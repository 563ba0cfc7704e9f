import type { Range } from "../durability/sorted-ranges.ts";
import { COMMAND } from "../protocol/constants.ts";
import { ExtentList, type StatusRequest } from "./extent-list.ts";

/** A write of the log that lies over a part of the disk. */
export interface StatusFragment extends Range {
  readonly command: number;
}

/** The longest extent, in bytes: its length has 32 bits. */
const LONGEST_BYTES = 0xffff_ffff;

/** Of how many bytes the extents tell. */
export function toldBytes(extents: Uint32Array): number {
  let bytes = 0;
  for (let at = 0; at < extents.length; at += 2) bytes += extents[at] ?? 0;
  return bytes;
}

/**
 * What `base:allocation` says of a range with the fragments of the log laid over it: where they have data, there is data, and
 * elsewhere what the server says. The fragments are in order and do not overlap. Neighbours with the same flags become one.
 */
export function overlayStatus(
  extents: Uint32Array,
  request: StatusRequest,
  fragments: readonly StatusFragment[],
): Uint32Array {
  const list = new ExtentList(request);
  let bytes = 0;
  let flags = 0;
  for (const part of cut(extents, request.offset, fragments)) {
    if (bytes > 0 && (part.flags !== flags || bytes + part.bytes > LONGEST_BYTES)) {
      list.add(bytes, flags);
      bytes = 0;
    }
    bytes += part.bytes;
    ({ flags } = part);
  }
  list.add(bytes, flags);
  return list.pairs;
}

/** The extents from `offset` on, cut where fragments begin and end. */
function* cut(
  extents: Uint32Array,
  offset: number,
  fragments: readonly StatusFragment[],
): Generator<{ readonly bytes: number; readonly flags: number }> {
  // Zeros may be called zeros, a hole, or data that is not known, and what a TRIM leaves is not defined: whatever the server
  // says of either holds.
  const written = fragments.filter(({ command }) => command === COMMAND.WRITE);
  let next = 0;
  let at = offset;
  let end = offset;
  for (let pair = 0; pair < extents.length; pair += 2) {
    const flags = extents[pair + 1] ?? 0;
    end += extents[pair] ?? 0;
    while (at < end) {
      while ((written[next]?.end ?? Infinity) <= at) next += 1;
      const { start: from, end: to } = written[next] ?? { start: Infinity, end: Infinity };
      const isUnder = from <= at;
      const border = Math.min(end, isUnder ? to : from);
      yield { bytes: border - at, flags: isUnder ? 0 : flags };
      at = border;
    }
  }
}
