import { COMMAND, MAGIC, REQUEST_HEADER_BYTES } from "./constants.ts";
import { decodeOffset, encodeOffset } from "./offset-field.ts";
import { ProtocolViolation } from "./protocol-violation.ts";

/**
 * The fixed part of a request ("Request message"), big-endian:
 *
 *     0      4      6      8                16                24        28
 *     | magic | flags | type | cookie         | offset          | length  |
 *
 * The cookie is opaque and kept as two halves. An offset beyond 2^53 is not exact, but still far beyond every export.
 */
export interface RequestHeader {
  flags: number;
  command: number;
  cookieHigh: number;
  cookieLow: number;
  offset: number;
  length: number;
}

/** Reads the header at `at` into `header`. Throws ProtocolViolation when the magic is wrong. */
export function decodeRequestHeader(view: DataView, at: number, header: RequestHeader): void {
  if (view.getUint32(at) !== MAGIC.REQUEST) {
    throw new ProtocolViolation(`wrong request magic 0x${view.getUint32(at).toString(16).padStart(8, "0")}`);
  }
  header.flags = view.getUint16(at + 4);
  header.command = view.getUint16(at + 6);
  header.cookieHigh = view.getUint32(at + 8);
  header.cookieLow = view.getUint32(at + 12);
  header.offset = decodeOffset(view, at + 16);
  header.length = view.getUint32(at + 24);
}

/** Writes the header at `at`. */
export function encodeRequestHeader(view: DataView, at: number, header: Readonly<RequestHeader>): void {
  view.setUint32(at, MAGIC.REQUEST);
  view.setUint16(at + 4, header.flags);
  view.setUint16(at + 6, header.command);
  view.setUint32(at + 8, header.cookieHigh);
  view.setUint32(at + 12, header.cookieLow);
  encodeOffset(view, at + 16, header.offset);
  view.setUint32(at + 24, header.length);
}

/** The request that ends a session ("NBD_CMD_DISC"): all zeros but magic and type. */
export function disconnectRequest(): Buffer {
  const bytes = Buffer.alloc(REQUEST_HEADER_BYTES);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  encodeRequestHeader(view, 0, {
    flags: 0,
    command: COMMAND.DISC,
    cookieHigh: 0,
    cookieLow: 0,
    offset: 0,
    length: 0,
  });
  return bytes;
}
