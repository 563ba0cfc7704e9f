import { INFO, STRING_LIMIT_BYTES, TRANSMISSION_FLAG } from "./constants.ts";
import { decodeText, encodeText } from "./option-text.ts";
import { ProtocolViolation } from "./protocol-violation.ts";

/** Size and transmission flags as EXPORT_NAME and INFO_EXPORT carry them, in bytes. */
export const EXPORT_FIELDS_BYTES = 10;

const TYPE_BYTES = 2;
const BLOCK_SIZE_FIELDS_BYTES = 12;
const MINIMUM_BLOCK_LIMIT_BYTES = 0x1_0000;

/** An export's size in bytes and its transmission flags (`TRANSMISSION_FLAG`). */
export interface ExportFields {
  readonly sizeBytes: number;
  readonly flags: number;
}

/** The three sizes of "Size constraints", in bytes; a maximum of 0xffffffff means that there is none. */
export interface BlockSizes {
  readonly minimum: number;
  readonly preferred: number;
  readonly maximum: number;
}

/** One thing that a server tells about an export (`INFO`). A text is undefined when it isn't fit to be repeated. */
export type Information =
  | ({ readonly type: typeof INFO.EXPORT } & ExportFields)
  | { readonly type: typeof INFO.NAME | typeof INFO.DESCRIPTION; readonly text: string | undefined }
  | ({ readonly type: typeof INFO.BLOCK_SIZE } & BlockSizes)
  | { readonly type: "unknown" };

/**
 * Size and flags of an export.
 *
 *     0      8       10
 *     | size | flags |
 */
export function encodeExportFields(fields: ExportFields): Buffer {
  const bytes = Buffer.allocUnsafe(EXPORT_FIELDS_BYTES);
  bytes.writeBigUInt64BE(BigInt(fields.sizeBytes), 0);
  bytes.writeUInt16BE(fields.flags | TRANSMISSION_FLAG.HAS_FLAGS, 8);
  return bytes;
}

/** The reverse of `encodeExportFields`. Throws ProtocolViolation on a size beyond 2^53 - 1 or flags without HAS_FLAGS. */
export function decodeExportFields(bytes: Buffer): ExportFields {
  const sizeBytes = decodeExportSize(bytes);
  const flags = bytes.readUInt16BE(8);
  if ((flags & TRANSMISSION_FLAG.HAS_FLAGS) === 0) {
    throw new ProtocolViolation(`the transmission flags 0x${flags.toString(16)} lack HAS_FLAGS`);
  }
  return { sizeBytes, flags };
}

/** The size of an export, the first 8 of these bytes. Throws ProtocolViolation when it is beyond 2^53 - 1. */
export function decodeExportSize(bytes: Buffer): number {
  const size = bytes.readBigUInt64BE(0);
  if (size > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw new ProtocolViolation(`the export claims a size of ${size} bytes, more than any disk has`);
  }
  return Number(size);
}

/**
 * The data of a reply of type INFO: two bytes of type, then what belongs to it.
 *
 *     EXPORT       | 0 | size (8) | flags (2) |
 *     NAME         | 1 | text …
 *     DESCRIPTION  | 2 | text …
 *     BLOCK_SIZE   | 3 | minimum (4) | preferred (4) | maximum payload (4) |
 */
export function encodeInformation(information: Exclude<Information, { type: "unknown" }>): Buffer {
  const type = Buffer.allocUnsafe(TYPE_BYTES);
  type.writeUInt16BE(information.type, 0);
  return Buffer.concat([type, encodeBody(information)]);
}

/** The reverse of `encodeInformation`. Throws ProtocolViolation when length or values break the protocol. */
export function decodeInformation(bytes: Buffer): Information {
  if (bytes.length < TYPE_BYTES) throw new ProtocolViolation(`an INFO reply has ${bytes.length} bytes of data`);
  const type = bytes.readUInt16BE(0);
  const body = bytes.subarray(TYPE_BYTES);
  switch (type) {
    case INFO.EXPORT:
      requireLength("INFO_EXPORT", body, EXPORT_FIELDS_BYTES);
      return { type, ...decodeExportFields(body) };
    case INFO.NAME:
    case INFO.DESCRIPTION:
      if (body.length > STRING_LIMIT_BYTES) {
        throw new ProtocolViolation(`the export's name or description has ${body.length} bytes`);
      }
      return { type, text: decodeText(body) };
    case INFO.BLOCK_SIZE:
      requireLength("INFO_BLOCK_SIZE", body, BLOCK_SIZE_FIELDS_BYTES);
      return { type, ...decodeBlockSizes(body) };
    default:
      return { type: "unknown" };
  }
}

function encodeBody(information: Exclude<Information, { type: "unknown" }>): Buffer {
  switch (information.type) {
    case INFO.EXPORT:
      return encodeExportFields(information);
    case INFO.NAME:
    case INFO.DESCRIPTION:
      return encodeText(information.text ?? "");
    case INFO.BLOCK_SIZE: {
      const bytes = Buffer.allocUnsafe(BLOCK_SIZE_FIELDS_BYTES);
      bytes.writeUInt32BE(information.minimum, 0);
      bytes.writeUInt32BE(information.preferred, 4);
      bytes.writeUInt32BE(information.maximum, 8);
      return bytes;
    }
  }
}

function decodeBlockSizes(body: Buffer): BlockSizes {
  const minimum = body.readUInt32BE(0);
  const preferred = body.readUInt32BE(4);
  const maximum = body.readUInt32BE(8);
  // A preferred size below 512 and a maximum that is no multiple of the minimum harm nobody: servers have sent both.
  const sane =
    isPowerOfTwo(minimum) &&
    isPowerOfTwo(preferred) &&
    minimum <= MINIMUM_BLOCK_LIMIT_BYTES &&
    minimum <= preferred &&
    preferred <= maximum;
  if (!sane) {
    throw new ProtocolViolation(`the block sizes ${minimum}, ${preferred}, ${maximum} contradict the protocol`);
  }
  return { minimum, preferred, maximum };
}

function isPowerOfTwo(value: number): boolean {
  return value > 0 && (value & (value - 1)) === 0;
}

function requireLength(what: string, body: Buffer, lengthBytes: number): void {
  if (body.length !== lengthBytes) {
    throw new ProtocolViolation(`${what} has ${body.length} bytes of data instead of ${lengthBytes}`);
  }
}
