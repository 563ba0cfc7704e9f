/** A request as it is on the wire, in the plainest terms. */
export interface WireRequest {
  readonly command: number;
  readonly flags: number;
  readonly cookie: bigint;
  readonly offset: bigint;
  readonly length: number;
  readonly payload: Buffer;
}

/** A simple reply as it is on the wire. */
export interface WireReply {
  readonly error: number;
  readonly cookie: bigint;
  readonly data: Buffer;
}

/** The bytes of a request, written by a second codec that shares nothing with the one under test. */
export function requestBytes(
  fields: Partial<Omit<WireRequest, "offset">> & { readonly offset?: bigint | number },
): Buffer {
  const { command = 0, flags = 0, cookie = 0n, offset = 0n, payload = Buffer.alloc(0) } = fields;
  const header = Buffer.alloc(28);
  header.writeUInt32BE(0x25609513, 0);
  header.writeUInt16BE(flags, 4);
  header.writeUInt16BE(command, 6);
  header.writeBigUInt64BE(cookie, 8);
  header.writeBigUInt64BE(BigInt(offset), 16);
  header.writeUInt32BE(fields.length ?? payload.length, 24);
  return Buffer.concat([header, payload]);
}

/** The whole requests at the beginning of `bytes`, and what is left. Throws when they are out of step. */
export function parseRequests(bytes: Buffer): { readonly requests: WireRequest[]; readonly rest: Buffer } {
  const requests: WireRequest[] = [];
  let rest = bytes;
  while (rest.length >= 28) {
    if (rest.readUInt32BE(0) !== 0x25609513) throw new Error(`no request: ${rest.toString("hex", 0, 28)}`);
    const command = rest.readUInt16BE(6);
    const length = rest.readUInt32BE(24);
    const end = 28 + (command === 1 ? length : 0);
    if (rest.length < end) break;
    requests.push({
      command,
      flags: rest.readUInt16BE(4),
      cookie: rest.readBigUInt64BE(8),
      offset: rest.readBigUInt64BE(16),
      length,
      payload: Buffer.from(rest.subarray(28, end)),
    });
    rest = rest.subarray(end);
  }
  return { requests, rest };
}

/** The bytes of a simple reply. */
export function replyBytes({ error = 0, cookie = 0n, data = Buffer.alloc(0) }: Partial<WireReply>): Buffer {
  const header = Buffer.alloc(16);
  header.writeUInt32BE(0x67446698, 0);
  header.writeUInt32BE(error, 4);
  header.writeBigUInt64BE(cookie, 8);
  return Buffer.concat([header, data]);
}

/** The whole replies at the beginning of `bytes`; `dataBytes` says how long the data of a successful one is. */
export function parseReplies(
  bytes: Buffer,
  dataBytes: (cookie: bigint) => number = () => 0,
): { readonly replies: WireReply[]; readonly rest: Buffer } {
  const replies: WireReply[] = [];
  let rest = bytes;
  while (rest.length >= 16) {
    if (rest.readUInt32BE(0) !== 0x67446698) throw new Error(`no reply: ${rest.toString("hex", 0, 16)}`);
    const error = rest.readUInt32BE(4);
    const cookie = rest.readBigUInt64BE(8);
    const end = 16 + (error === 0 ? dataBytes(cookie) : 0);
    if (rest.length < end) break;
    replies.push({ error, cookie, data: Buffer.from(rest.subarray(16, end)) });
    rest = rest.subarray(end);
  }
  return { replies, rest };
}

/** A chunk of a structured reply as it is on the wire. */
export interface WireChunk {
  readonly flags: number;
  readonly type: number;
  readonly cookie: bigint;
  readonly payload: Buffer;
}

/** To which request a chunk belongs, and whether it is the last one; it is, unless told otherwise. */
interface ChunkFields {
  readonly cookie?: bigint;
  readonly done?: boolean;
}

/** The bytes of a chunk; `length` lies about its payload. */
export function chunkBytes(fields: Partial<WireChunk> & { readonly length?: number }): Buffer {
  const { flags = 1, type = 0, cookie = 0n, payload = Buffer.alloc(0) } = fields;
  const header = Buffer.alloc(20);
  header.writeUInt32BE(0x668e33ef, 0);
  header.writeUInt16BE(flags, 4);
  header.writeUInt16BE(type, 6);
  header.writeBigUInt64BE(cookie, 8);
  header.writeUInt32BE(fields.length ?? payload.length, 16);
  return Buffer.concat([header, payload]);
}

/** A chunk that says nothing but that the reply is whole. */
export function doneBytes(cookie = 0n): Buffer {
  return chunkBytes({ cookie });
}

/** A chunk with data for a place in the export. */
export function dataChunkBytes(
  fields: ChunkFields & { readonly offset: bigint | number; readonly data: Buffer },
): Buffer {
  return typedChunk(1, fields, Buffer.concat([u64(fields.offset), fields.data]));
}

/** A chunk with a hole. */
export function holeChunkBytes(
  fields: ChunkFields & { readonly offset: bigint | number; readonly length: number },
): Buffer {
  return typedChunk(2, fields, Buffer.concat([u64(fields.offset), u32(fields.length)]));
}

/** A chunk with the extents of one context: pairs of length and flags. */
export function statusChunkBytes(
  fields: ChunkFields & {
    readonly id: number;
    readonly extents: readonly (readonly [length: number, flags: number])[];
  },
): Buffer {
  return typedChunk(5, fields, Buffer.concat([u32(fields.id), ...fields.extents.flat().map(u32)]));
}

/** An error chunk, with an offset where one is given. */
export function errorChunkBytes(
  fields: ChunkFields & { readonly error: number; readonly text?: string | Buffer; readonly offset?: bigint | number },
): Buffer {
  const text = Buffer.from(fields.text ?? "");
  const offset = fields.offset === undefined ? [] : [u64(fields.offset)];
  const length = Buffer.alloc(2);
  length.writeUInt16BE(text.length);
  const payload = Buffer.concat([u32(fields.error), length, text, ...offset]);
  return typedChunk(fields.offset === undefined ? 0x8001 : 0x8002, fields, payload);
}

/**
 * What a server says to a client with structured replies, where simple ones carry no data: the whole messages at the beginning of
 * `bytes`, and what is left.
 */
export function parseStructured(bytes: Buffer): {
  readonly messages: readonly (WireReply | WireChunk)[];
  readonly rest: Buffer;
} {
  const messages: (WireReply | WireChunk)[] = [];
  let rest = bytes;
  while (rest.length >= 16) {
    const cookie = rest.readBigUInt64BE(8);
    if (rest.readUInt32BE(0) === 0x67446698) {
      messages.push({ error: rest.readUInt32BE(4), cookie, data: Buffer.alloc(0) });
      rest = rest.subarray(16);
      continue;
    }
    if (rest.readUInt32BE(0) !== 0x668e33ef) throw new Error(`no reply: ${rest.toString("hex", 0, 20)}`);
    if (rest.length < 20 || rest.length < 20 + rest.readUInt32BE(16)) break;
    const end = 20 + rest.readUInt32BE(16);
    const payload = Buffer.from(rest.subarray(20, end));
    messages.push({ flags: rest.readUInt16BE(4), type: rest.readUInt16BE(6), cookie, payload });
    rest = rest.subarray(end);
  }
  return { messages, rest };
}

function typedChunk(type: number, { cookie = 0n, done = true }: ChunkFields, payload: Buffer): Buffer {
  return chunkBytes({ flags: done ? 1 : 0, type, cookie, payload });
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function u64(value: bigint | number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
}
