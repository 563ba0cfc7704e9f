/** Stirs a 32-bit number so that neighbours become strangers; 0 is the only one that becomes 0. */
function stir(value: number): number {
  let stirred = value;
  stirred = Math.imul(stirred ^ (stirred >>> 16), 0x7feb352d);
  stirred = Math.imul(stirred ^ (stirred >>> 15), 0x846ca68b);
  return (stirred ^ (stirred >>> 16)) >>> 0;
}

/**
 * Fills `target`, a multiple of 4 bytes, with the pseudo-random bytes that belong to a seed and a block: the same on every
 * machine, and different from those of every other block.
 */
export function fillSeeded(target: Buffer, seed: number, block: number): void {
  // Xorshift never leaves 0, so it must not begin there.
  let state = stir(stir(seed) ^ (block + 1)) || 1;
  for (let at = 0; at < target.length; at += 4) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    target.writeInt32LE(state, at);
  }
}
