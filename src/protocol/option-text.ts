import assert from "node:assert";

import { STRING_LIMIT_BYTES } from "./constants.ts";

/** The decoder keeps a byte order mark: a name with one is another name. */
const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Half a character, which UTF-8 cannot carry. */
const LONE_SURROGATE = /\p{Cs}/u;

/** A string of the protocol ("Conventions"): UTF-8 without NUL. Undefined when the bytes are none, or too many. */
export function decodeText(bytes: Buffer): string | undefined {
  if (bytes.length > STRING_LIMIT_BYTES || bytes.includes(0)) return undefined;
  try {
    return UTF8.decode(bytes);
  } catch {
    return undefined;
  }
}

/** The bytes of a string of ours, which must be one of the protocol. */
export function encodeText(text: string): Buffer {
  const bytes = Buffer.from(text, "utf8");
  assert(isProtocolText(text), "a string is longer than the protocol allows or contains NUL");
  return bytes;
}

/** Whether the protocol can carry this string: whole characters, at most 4096 bytes of UTF-8, no NUL. */
export function isProtocolText(text: string): boolean {
  const fits = Buffer.byteLength(text, "utf8") <= STRING_LIMIT_BYTES;
  return fits && !text.includes("\0") && !LONE_SURROGATE.test(text);
}
