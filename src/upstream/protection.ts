import { TRANSMISSION_FLAG } from "../protocol/constants.ts";
import type { Geometry } from "../protocol/geometry.ts";
import type { Unflushed } from "./unflushed-log.ts";

/**
 * What can be done for acknowledged writes on an export, and why that is less than what is wanted: without FLUSH nothing
 * is volatile by contract, and the log could never be emptied.
 */
export function protection(
  wanted: Unflushed,
  { flags }: Geometry,
): { readonly unflushed: Unflushed; readonly because: string | undefined } {
  const readOnly = (flags & TRANSMISSION_FLAG.READ_ONLY) !== 0;
  const flushes = (flags & TRANSMISSION_FLAG.SEND_FLUSH) !== 0;
  if (wanted === "off" || (flushes && !readOnly)) return { unflushed: wanted, because: undefined };
  const because = readOnly ? "it is read-only" : "it offers no FLUSH, so that what it acknowledges is stable";
  return { unflushed: "off", because };
}
