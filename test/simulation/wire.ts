/**
 * A second, deliberately plain codec for the parts of the NBD protocol that the simulation speaks, written from the
 * protocol's text: what checks the proxy must not share its mistakes.
 */

export const READ = 0;
export const WRITE = 1;
export const DISC = 2;
export const FLUSH = 3;
export const TRIM = 4;
export const CACHE = 5;
export const WRITE_ZEROES = 6;

export const FUA = 1;
export const NO_HOLE = 2;
export const FAST_ZERO = 16;

export const OFFERS = {
  READ_ONLY: 2,
  FLUSH: 4,
  FUA: 8,
  TRIM: 32,
  ZEROES: 64,
  MULTI: 256,
  CACHE: 1024,
  FAST: 2048,
} as const;

export const EPERM = 1;
export const EIO = 5;
export const EINVAL = 22;
export const ENOSPC = 28;
export const ESHUTDOWN = 108;

export const EXPORT_NAME = 1;
export const LIST = 3;
export const INFO = 6;
export const GO = 7;
export const ACK = 1;
export const REP_INFO = 3;
export const ERR_UNSUP = 0x80000001;
export const ERR_POLICY = 0x80000002;
export const ERR_SHUTDOWN = 0x80000007;

export const REQUEST_MAGIC = 0x25609513;
export const REPLY_MAGIC = 0x67446698;
const OPTION_MAGIC = Buffer.from("IHAVEOPT", "latin1");
const OPTION_REPLY_MAGIC = Buffer.from("0003e889045565a9", "hex");

/** A greeting: fixed newstyle, and NO_ZEROES where offered. */
export function greeting(noZeroes: boolean): Buffer {
  return Buffer.concat([Buffer.from("NBDMAGICIHAVEOPT", "latin1"), u16(noZeroes ? 3 : 1)]);
}

/** An old-style server's whole hello. */
export function oldStyleHello(sizeBytes: number): Buffer {
  const hello = Buffer.alloc(152);
  hello.write("NBDMAGIC", "latin1");
  hello.write("0000420281861253", 8, "hex");
  hello.writeBigUInt64BE(BigInt(sizeBytes), 16);
  return hello;
}

/** An option of a client. */
export function option(number: number, data: Buffer): Buffer {
  return Buffer.concat([OPTION_MAGIC, u32(number), u32(data.length), data]);
}

/** The data of GO or INFO: a name, and what else is wanted to know. */
export function exportQuery(name: string, informationTypes: readonly number[]): Buffer {
  const text = Buffer.from(name);
  return Buffer.concat([u32(text.length), text, u16(informationTypes.length), ...informationTypes.map(u16)]);
}

/** A server's reply to an option. */
export function optionReply(number: number, type: number, data: Buffer = Buffer.alloc(0)): Buffer {
  return Buffer.concat([OPTION_REPLY_MAGIC, u32(number), u32(type), u32(data.length), data]);
}

/** Whether bytes begin as an option, or as a reply to one, must. */
export function isOption(header: Buffer): boolean {
  return header.subarray(0, 8).equals(OPTION_MAGIC);
}

/** As `isOption`, for what a server answers. */
export function isOptionReply(header: Buffer): boolean {
  return header.subarray(0, 8).equals(OPTION_REPLY_MAGIC);
}

/** Size and transmission flags, as EXPORT_NAME is answered. */
export function exportFields(sizeBytes: number, flags: number): Buffer {
  const fields = Buffer.alloc(10);
  fields.writeBigUInt64BE(BigInt(sizeBytes));
  fields.writeUInt16BE(flags, 8);
  return fields;
}

/** INFO_EXPORT. */
export function infoExport(sizeBytes: number, flags: number): Buffer {
  return Buffer.concat([u16(0), exportFields(sizeBytes, flags)]);
}

/** INFO_BLOCK_SIZE: minimum, preferred and maximum. */
export function infoBlockSize(minimum: number, preferred: number, maximum: number): Buffer {
  return Buffer.concat([u16(3), u32(minimum), u32(preferred), u32(maximum)]);
}

/** A request as it is on the wire; the cookie is a number below 2^53. */
export interface WireRequest {
  readonly flags: number;
  readonly command: number;
  readonly cookie: bigint;
  readonly offset: number;
  readonly length: number;
}

/** The 28 bytes of a request. */
export function requestHeader({ flags, command, cookie, offset, length }: WireRequest): Buffer {
  const header = Buffer.allocUnsafe(28);
  header.writeUInt32BE(REQUEST_MAGIC, 0);
  header.writeUInt16BE(flags, 4);
  header.writeUInt16BE(command, 6);
  header.writeBigUInt64BE(cookie, 8);
  header.writeBigUInt64BE(BigInt(offset), 16);
  header.writeUInt32BE(length, 24);
  return header;
}

/** Reads those 28 bytes; the magic is for the caller to check. */
export function parseRequest(header: Buffer): WireRequest {
  return {
    flags: header.readUInt16BE(4),
    command: header.readUInt16BE(6),
    cookie: header.readBigUInt64BE(8),
    offset: Number(header.readBigUInt64BE(16)),
    length: header.readUInt32BE(24),
  };
}

/** Whether bytes end with a DISC. */
export function endsWithDisc(bytes: Buffer): boolean {
  const at = bytes.length - 28;
  return at >= 0 && bytes.readUInt32BE(at) === REQUEST_MAGIC && bytes.readUInt16BE(at + 6) === DISC;
}

/** The 16 bytes of a simple reply. */
export function simpleReply(error: number, cookie: bigint): Buffer {
  const header = Buffer.allocUnsafe(16);
  header.writeUInt32BE(REPLY_MAGIC, 0);
  header.writeUInt32BE(error, 4);
  header.writeBigUInt64BE(cookie, 8);
  return header;
}

/** Two bytes, big-endian. */
export function u16(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(2);
  bytes.writeUInt16BE(value);
  return bytes;
}

/** Four bytes, big-endian. */
export function u32(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** Eight bytes, big-endian. */
export function u64(value: number | bigint): Buffer {
  const bytes = Buffer.allocUnsafe(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
}
