import { MAGIC } from "./constants.ts";
import { ProtocolViolation } from "./protocol-violation.ts";

/** What stands before the data of an option, in bytes. */
export const OPTION_HEADER_BYTES = 16;

/** Which option (`OPTION`), and how much data follows. */
export interface OptionHeader {
  readonly option: number;
  readonly lengthBytes: number;
}

/**
 * One option as the client sends it ("Option haggling").
 *
 *     0         8        12       16
 *     | IHAVEOPT | option | length | data …
 */
export function encodeOption(option: number, data: Buffer): Buffer {
  const bytes = Buffer.allocUnsafe(OPTION_HEADER_BYTES + data.length);
  bytes.writeUInt32BE(MAGIC.OPTION_HIGH, 0);
  bytes.writeUInt32BE(MAGIC.OPTION_LOW, 4);
  bytes.writeUInt32BE(option, 8);
  bytes.writeUInt32BE(data.length, 12);
  data.copy(bytes, OPTION_HEADER_BYTES);
  return bytes;
}

/** The first 16 bytes of an option. Throws ProtocolViolation when they don't begin with the magic. */
export function decodeOptionHeader(bytes: Buffer): OptionHeader {
  if (bytes.readUInt32BE(0) !== MAGIC.OPTION_HIGH || bytes.readUInt32BE(4) !== MAGIC.OPTION_LOW) {
    throw new ProtocolViolation(`an option begins with ${bytes.toString("hex", 0, 8)} instead of the option magic`);
  }
  return { option: bytes.readUInt32BE(8), lengthBytes: bytes.readUInt32BE(12) };
}
