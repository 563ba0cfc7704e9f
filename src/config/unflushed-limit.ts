import { PORTABLE_PAYLOAD_BYTES } from "../protocol/constants.ts";
import { BadValue } from "./bad-value.ts";
import { parseSize } from "./size.ts";

const MIB = 1024 ** 2;
const GIB = 1024 ** 3;

/** Two of the largest writes: one can come in while another one is kept. */
const SMALLEST_BYTES = 2 * PORTABLE_PAYLOAD_BYTES;
/** More than any server leaves unflushed for long; who asks for more has mistaken the unit. */
const LARGEST_BYTES = 64 * GIB;

/** Parses the memory for requests under way and unflushed writes, in bytes: 64M to 64G. Throws BadValue. */
export function parseUnflushedLimit(text: string): number {
  const limitBytes = parseSize(text);
  if (limitBytes < SMALLEST_BYTES) throw new BadValue(`is too little memory; the least is ${SMALLEST_BYTES / MIB}M`);
  if (limitBytes > LARGEST_BYTES) throw new BadValue(`is too much memory; the most is ${LARGEST_BYTES / GIB}G`);
  return limitBytes;
}
