import { MAGIC, NBD_ERROR } from "./constants.ts";

const KNOWN_ERRORS: ReadonlySet<number> = new Set(Object.values(NBD_ERROR));

/**
 * Writes the header of a simple reply ("Simple reply message") at `at`:
 *
 *     0       4       8        16
 *     | magic | error | cookie | data of a successful READ …
 */
export function encodeSimpleReply(
  view: DataView,
  at: number,
  error: number,
  cookieHigh: number,
  cookieLow: number,
): void {
  view.setUint32(at, MAGIC.SIMPLE_REPLY);
  view.setUint32(at + 4, error);
  view.setUint32(at + 8, cookieHigh);
  view.setUint32(at + 12, cookieLow);
}

/** The error as a client understands it: values that the text does not name count as EINVAL ("Error values"). */
export function knownError(error: number): number {
  return error === 0 || KNOWN_ERRORS.has(error) ? error : NBD_ERROR.EINVAL;
}
