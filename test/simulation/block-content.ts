/** The value of a block before anybody wrote to it. */
export const INITIAL = 1;
/** The value of a block of zeros. */
export const ZEROS = 0;
/** What a block reads as that nobody ever wrote like this: parts of several writes, or bytes from elsewhere. */
export const BROKEN = -1;
/** What is told of a block when it is not told what it reads as. */
export const UNKNOWN = -2;

/**
 * Fills whole blocks with a value, so that a misplaced, mixed or foreign block is recognised: every eight bytes are the
 * value and the block's number.
 */
export function fillBlocks(bytes: Buffer, firstBlock: number, blockBytes: number, value: number): void {
  for (let at = 0; at < bytes.length; at += 8) {
    bytes.writeUInt32BE(value, at);
    bytes.writeUInt32BE(stamp(firstBlock + Math.floor(at / blockBytes)), at + 4);
  }
}

/** The value of the block that begins at `at`. */
export function blockValue(bytes: Buffer, at: number, block: number, blockBytes: number): number {
  const value = bytes.readUInt32BE(at);
  const second = value === ZEROS ? 0 : stamp(block);
  for (let word = at; word < at + blockBytes; word += 8) {
    if (bytes.readUInt32BE(word) !== value || bytes.readUInt32BE(word + 4) !== second) return BROKEN;
  }
  return value;
}

function stamp(block: number): number {
  return 0xb10c0000 + block;
}
