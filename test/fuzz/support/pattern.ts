/** How much of a fuzzed disk has a known content. */
export const PATTERN_BYTES = 256 * 1024;

const PATTERN = Buffer.alloc(PATTERN_BYTES);
for (let at = 0, state = 0x9e3779b9; at < PATTERN_BYTES; at += 4) {
  state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + at;
  PATTERN.writeInt32BE(state | 0, at);
}

/** What belongs at these positions: no two ranges are alike. */
export function pattern(offset: number, lengthBytes: number): Buffer {
  return PATTERN.subarray(offset, offset + lengthBytes);
}
