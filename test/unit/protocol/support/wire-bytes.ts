/** Bytes put together by hand: strings are hexadecimal digits with blanks where they help the eye. */
export function wireBytes(...parts: readonly (string | Buffer)[]): Buffer {
  return Buffer.concat(
    parts.map((part) => (typeof part === "string" ? Buffer.from(part.replaceAll(" ", ""), "hex") : part)),
  );
}

/** Four bytes, big-endian. */
export function u32(value: number): Buffer {
  return Buffer.from(value.toString(16).padStart(8, "0"), "hex");
}

/** The greeting of a fixed newstyle server that offers NO_ZEROES, in hexadecimal. */
export const GREETING = "4e42444d41474943 49484156454f5054 0003";

/** An option reply by hand. */
export function optionReply(to: number, type: number, data: string | Buffer = ""): Buffer {
  const bytes = wireBytes(data);
  return wireBytes("0003e889045565a9", u32(to), u32(type), u32(bytes.length), bytes);
}

/** An option by hand. */
export function option(number: number, data: string | Buffer = ""): Buffer {
  const bytes = wireBytes(data);
  return wireBytes("49484156454f5054", u32(number), u32(bytes.length), bytes);
}
