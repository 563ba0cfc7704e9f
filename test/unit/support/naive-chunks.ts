/** One chunk of a structured reply as it is on the wire. */
export interface WireChunk {
  readonly type: number;
  /** The chunk flags; 1 is DONE. */
  readonly flags?: number;
  readonly cookie?: bigint;
  readonly payload?: Buffer;
}

/** The bytes of a chunk, written by a second codec that shares nothing with the one under test. */
export function chunkBytes({ type, flags = 0, cookie = 0n, payload = Buffer.alloc(0) }: WireChunk): Buffer {
  const header = Buffer.alloc(20);
  header.writeUInt32BE(0x668e33ef, 0);
  header.writeUInt16BE(flags, 4);
  header.writeUInt16BE(type, 6);
  header.writeBigUInt64BE(cookie, 8);
  header.writeUInt32BE(payload.length, 16);
  return Buffer.concat([header, payload]);
}

/** The payload of an OFFSET_DATA chunk. */
export function dataPayload(offset: number, data: Buffer): Buffer {
  return Buffer.concat([u64(offset), data]);
}

/** The payload of an OFFSET_HOLE chunk. */
export function holePayload(offset: number, size: number): Buffer {
  return Buffer.concat([u64(offset), u32(size)]);
}

/** The payload of a BLOCK_STATUS chunk: pairs of length and flags. */
export function statusPayload(id: number, ...extents: readonly (readonly [number, number])[]): Buffer {
  return Buffer.concat([u32(id), ...extents.flat().map(u32)]);
}

/** The payload of an ERROR chunk, or of ERROR_OFFSET when there is an offset. */
export function errorPayload(error: number, text = "", offset?: number): Buffer {
  const message = Buffer.from(text);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(message.length);
  return Buffer.concat([u32(error), length, message, ...(offset === undefined ? [] : [u64(offset)])]);
}

function u64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
