/** The block that fills are told of. */
export const FILL_BLOCK = 4096;

/** The byte that fills each block, in one line, like `0 1 1 0`; `?` for a block that holds more than one. */
export function blockFills(bytes: Buffer): string {
  const fills: string[] = [];
  for (let offset = 0; offset < bytes.length; offset += FILL_BLOCK) {
    const block = bytes.subarray(offset, offset + FILL_BLOCK);
    const first = block[0] ?? 0;
    fills.push(block.every((byte) => byte === first) ? String(first) : "?");
  }
  return fills.join(" ");
}
