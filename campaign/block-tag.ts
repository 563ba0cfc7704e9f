/** The unit that is told apart: a sector. */
export const BLOCK_BYTES = 512;
/** What a block holds that is not one whole tag. */
export const MIXED = -1;
/** What a block holds that begins with no tag of its own. */
export const FOREIGN = -2;

const TAG_BYTES = 16;
const MAGIC = 0x7a6b0c4d;

/** One tag; a block is full of copies of the same. `value` is 0 where there are zeros instead. */
export interface Tag {
  readonly block: number;
  readonly value: number;
  readonly client: number;
}

/** Fills whole blocks with tags, so that a stale, misplaced or mixed block can be told from a right one. */
export function writeTags(bytes: Buffer, firstBlock: number, value: number, client: number): void {
  const tag = Buffer.alloc(TAG_BYTES);
  tag.writeUInt32LE(MAGIC, 0);
  tag.writeUInt32LE(value, 8);
  tag.writeUInt32LE(client, 12);
  for (let at = 0; at < bytes.length; at += BLOCK_BYTES) {
    tag.writeUInt32LE(firstBlock + at / BLOCK_BYTES, 4);
    bytes.fill(tag, at, at + BLOCK_BYTES);
  }
}

/** The value that the block at `at` holds, 0 for zeros; MIXED or FOREIGN when it isn't full of tags of that block. */
export function readValue(bytes: Buffer, at: number, block: number): number {
  // A block that equals itself shifted by one tag holds the same tag everywhere.
  const end = at + BLOCK_BYTES;
  if (bytes.compare(bytes, at + TAG_BYTES, end, at, end - TAG_BYTES) !== 0) return MIXED;
  const tag = readTag(bytes, at);
  if (tag === undefined) return FOREIGN;
  return tag.value === 0 || tag.block === block ? tag.value : FOREIGN;
}

/** The different tags in the block at `at`, in their order; undefined for one that is none. */
export function readTags(bytes: Buffer, at: number): readonly (Tag | undefined)[] {
  const found = new Map<string, Tag | undefined>();
  for (let place = at; place < at + BLOCK_BYTES; place += TAG_BYTES) {
    const tag = readTag(bytes, place);
    const key = JSON.stringify(tag ?? null);
    if (!found.has(key)) found.set(key, tag);
  }
  return [...found.values()];
}

function readTag(bytes: Buffer, at: number): Tag | undefined {
  const magic = bytes.readUInt32LE(at);
  const tag = {
    block: bytes.readUInt32LE(at + 4),
    value: bytes.readUInt32LE(at + 8),
    client: bytes.readUInt32LE(at + 12),
  };
  if (magic === 0 && tag.block === 0 && tag.value === 0 && tag.client === 0) return tag;
  return magic === MAGIC && tag.value > 0 ? tag : undefined;
}
