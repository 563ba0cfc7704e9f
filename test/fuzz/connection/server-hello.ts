/** What a server said before transmission. */
export interface ServerHello {
  /** Where that ends. */
  readonly end: number;
  /** How large it says its export is. */
  readonly sizeBytes: number | undefined;
  readonly structured: boolean;
  /** The metadata contexts that it has selected, by their ids. */
  readonly contexts: ReadonlyMap<number, string>;
}

const GO = 7;
const STRUCTURED_REPLY = 8;
const SET_META_CONTEXT = 10;
const NOTHING_ELSE = { structured: false, contexts: new Map<number, string>() };

/** The hello to a client that asks with GO, read in the plainest way; undefined while it is not whole. */
export function helloIn(bytes: Buffer): ServerHello | undefined {
  if (bytes.length < 24) return undefined;
  if (bytes.toString("latin1", 8, 16) !== "IHAVEOPT")
    return { end: 152, sizeBytes: sizeAt(bytes, 16), ...NOTHING_ELSE };
  const flags = bytes.readUInt16BE(16);
  const fields = (flags & 2) === 0 ? 134 : 10;
  if ((flags & 1) === 0) return { end: 18 + fields, sizeBytes: sizeAt(bytes, 18), ...NOTHING_ELSE };
  let sizeBytes: number | undefined;
  let structured = false;
  const contexts = new Map<number, string>();
  for (let at = 18; at + 20 <= bytes.length;) {
    const option = bytes.readUInt32BE(at + 8);
    const type = bytes.readUInt32BE(at + 12);
    const data = bytes.subarray(at + 20, at + 20 + bytes.readUInt32BE(at + 16));
    const end = at + 20 + bytes.readUInt32BE(at + 16);
    if (option === STRUCTURED_REPLY) structured = type === 1;
    else if (option === SET_META_CONTEXT && type === 4 && data.length >= 4) {
      contexts.set(data.readUInt32BE(0), data.toString("utf8", 4));
    } else if (option === SET_META_CONTEXT && type !== 1) contexts.clear();
    if (option === GO && type === 1) return { end, sizeBytes, structured, contexts };
    if (option === GO && type === 0x80000001) {
      return { end: end + fields, sizeBytes: sizeAt(bytes, end), structured, contexts };
    }
    const isExport = type === 3 && bytes.length >= end && end - at === 32 && bytes.readUInt16BE(at + 20) === 0;
    if (isExport) sizeBytes = sizeAt(bytes, at + 22);
    at = end;
  }
  return undefined;
}

function sizeAt(bytes: Buffer, at: number): number | undefined {
  return at + 8 <= bytes.length ? Number(bytes.readBigUInt64BE(at)) : undefined;
}
