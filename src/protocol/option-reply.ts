import { MAGIC, OPTION_REPLY } from "./constants.ts";
import { ProtocolViolation } from "./protocol-violation.ts";

/** What stands before the data of an option reply, in bytes. */
export const OPTION_REPLY_HEADER_BYTES = 20;

/** Bit 31 of the type: set in errors. */
const ERROR_BIT = 0x8000_0000;

/** To which option, which reply (`OPTION_REPLY`), and how much data follows. */
export interface OptionReplyHeader {
  readonly option: number;
  readonly type: number;
  readonly lengthBytes: number;
}

/**
 * One reply to an option ("Option haggling").
 *
 *     0             8        12     16       20
 *     | reply magic | option | type | length | data …
 */
export function encodeOptionReply(option: number, type: number, data: Buffer): Buffer {
  const bytes = Buffer.allocUnsafe(OPTION_REPLY_HEADER_BYTES + data.length);
  bytes.writeUInt32BE(MAGIC.OPTION_REPLY_HIGH, 0);
  bytes.writeUInt32BE(MAGIC.OPTION_REPLY_LOW, 4);
  bytes.writeUInt32BE(option, 8);
  bytes.writeUInt32BE(type, 12);
  bytes.writeUInt32BE(data.length, 16);
  data.copy(bytes, OPTION_REPLY_HEADER_BYTES);
  return bytes;
}

/** The first 20 bytes of a reply. Throws ProtocolViolation when they don't begin with the magic. */
export function decodeOptionReplyHeader(bytes: Buffer): OptionReplyHeader {
  if (bytes.readUInt32BE(0) !== MAGIC.OPTION_REPLY_HIGH || bytes.readUInt32BE(4) !== MAGIC.OPTION_REPLY_LOW) {
    throw new ProtocolViolation(`an option reply begins with ${bytes.toString("hex", 0, 8)} instead of its magic`);
  }
  return { option: bytes.readUInt32BE(8), type: bytes.readUInt32BE(12), lengthBytes: bytes.readUInt32BE(16) };
}

/** Whether a reply of this type says no. */
export function isErrorReply(type: number): boolean {
  return type >= ERROR_BIT;
}

/** The type of a reply in the protocol's words, such as `NBD_REP_ERR_UNKNOWN`; a number when it has no name. */
export function optionReplyName(type: number): string {
  const known = Object.entries(OPTION_REPLY).find(([, value]) => value === type);
  return known === undefined ? `reply 0x${type.toString(16).padStart(8, "0")}` : `NBD_REP_${known[0]}`;
}
