import assert from "node:assert";

import { CHUNK, CHUNK_HEADER_BYTES, STRING_LIMIT_BYTES } from "./constants.ts";
import { type ChunkAddress, encodeChunkHeader } from "./chunk-header.ts";
import { decodeOffset, encodeOffset } from "./offset-field.ts";
import { ProtocolViolation } from "./protocol-violation.ts";

/** Error value and length of the message. */
const FIXED_BYTES = 6;
const OFFSET_BYTES = 8;

/** The longest payload of an error chunk that makes sense, in bytes: what comes behind the known fields is ignored. */
export const CHUNK_ERROR_LIMIT_BYTES = 2 * STRING_LIMIT_BYTES;

/** What an error chunk says. */
export interface ChunkError {
  /** The protocol's error value, not 0. */
  readonly error: number;
  /** For people, as the server sent it up to the first NUL; bytes that are no UTF-8 are replaced. */
  readonly text: string;
  /** Where in the export; undefined when it is not said, or lies beyond every export. */
  readonly offset: number | undefined;
}

/**
 * Reads the payload of an error chunk ("Structured reply types"), which is there as a whole. Types that are not known count
 * as ERROR. Throws ProtocolViolation.
 *
 *     0       4                6         6+n
 *     | error | message length | message | offset, in ERROR_OFFSET |
 */
export function decodeChunkError(view: DataView, at: number, type: number, lengthBytes: number): ChunkError {
  const error = view.getUint32(at);
  const textBytes = view.getUint16(at + 4);
  const offsetBytes = type === CHUNK.ERROR_OFFSET ? OFFSET_BYTES : 0;
  if (error === 0) throw new ProtocolViolation("an error chunk without an error");
  if (textBytes > STRING_LIMIT_BYTES || FIXED_BYTES + textBytes + offsetBytes > lengthBytes) {
    throw new ProtocolViolation(`an error message of ${textBytes} bytes in a chunk of ${lengthBytes}`);
  }
  const textAt = at + FIXED_BYTES;
  const [text = ""] = Buffer.from(view.buffer, view.byteOffset + textAt, textBytes)
    .toString("utf8")
    .split("\0", 1);
  return { error, text, offset: offsetBytes === 0 ? undefined : knownOffset(view, textAt + textBytes) };
}

function knownOffset(view: DataView, at: number): number | undefined {
  const offset = decodeOffset(view, at);
  return Number.isSafeInteger(offset) ? offset : undefined;
}

/** A whole error chunk: ERROR_OFFSET when there is an offset. A message that is too long for the protocol is cut. */
export function encodeErrorChunk(address: ChunkAddress, { error, text, offset }: ChunkError): Buffer {
  assert(error !== 0, "an error chunk needs an error");
  const message = cutText(text);
  const payloadBytes = FIXED_BYTES + message.length + (offset === undefined ? 0 : OFFSET_BYTES);
  const bytes = Buffer.alloc(CHUNK_HEADER_BYTES + payloadBytes);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  encodeChunkHeader(view, 0, offset === undefined ? CHUNK.ERROR : CHUNK.ERROR_OFFSET, address, payloadBytes);
  view.setUint32(CHUNK_HEADER_BYTES, error);
  view.setUint16(CHUNK_HEADER_BYTES + 4, message.length);
  message.copy(bytes, CHUNK_HEADER_BYTES + FIXED_BYTES);
  if (offset !== undefined) encodeOffset(view, CHUNK_HEADER_BYTES + FIXED_BYTES + message.length, offset);
  return bytes;
}

/** Replaced bytes can make a text longer than it was. */
function cutText(text: string): Buffer {
  const bytes = Buffer.from(text, "utf8");
  if (bytes.length <= STRING_LIMIT_BYTES) return bytes;
  let end = STRING_LIMIT_BYTES;
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return bytes.subarray(0, end);
}
