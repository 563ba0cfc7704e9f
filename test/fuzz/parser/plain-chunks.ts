/** A simple reply or a chunk as it was found. */
export interface FoundChunk {
  readonly head: string;
  content: string;
  /** Bytes of data or extents; what is cut off is whole extents only. */
  payload: Buffer[];
  whole: boolean;
}

/** What is found, and whether it ends with something that breaks the protocol. */
interface PlainChunks {
  readonly found: FoundChunk[];
  readonly violated: boolean;
}

/** Replies in all that a server said, read in the plainest way, until one makes no sense. Simple ones have no data. */
export function decodeChunksPlainly(bytes: Buffer, knows: (cookie: bigint) => boolean): PlainChunks {
  const found: FoundChunk[] = [];
  const violated = { found, violated: true };
  for (let at = 0; bytes.length - at >= 16;) {
    const magic = bytes.readUInt32BE(at);
    const cookie = bytes.readBigUInt64BE(at + 8);
    if (magic === 0x67446698) {
      if (!knows(cookie)) return violated;
      found.push({ head: `simple ${bytes.readUInt32BE(at + 4)} ${cookie}`, content: "none", payload: [], whole: true });
      at += 16;
      continue;
    }
    if (magic !== 0x668e33ef) return violated;
    if (bytes.length - at < 20) break;
    const done = (bytes.readUInt16BE(at + 4) & 1) === 1;
    const type = bytes.readUInt16BE(at + 6);
    const length = bytes.readUInt32BE(at + 16);
    const fixed = fixedBytes(type, length, done);
    if (fixed === undefined) return violated;
    const body = bytes.subarray(at + 20, at + 20 + length);
    if (body.length < fixed) break;
    if (!knows(cookie)) return violated;
    const content = contentOf(type, body, length);
    const head = `chunk ${done} ${cookie}`;
    if (content === undefined) {
      found.push({ head, content: "none", payload: [], whole: false });
      return violated;
    }
    const payload = body.subarray(fixed);
    const there = type === 5 ? payload.subarray(0, payload.length - (payload.length % 8)) : payload;
    found.push({ head, content, payload: [there], whole: body.length === length });
    at += 20 + length;
  }
  return { found, violated: false };
}

/** How much of a chunk must be there before it says anything; undefined when it can't be right. */
function fixedBytes(type: number, length: number, done: boolean): number | undefined {
  if (type === 0) return length === 0 && done ? 0 : undefined;
  if (type === 1) return length >= 9 ? 8 : undefined;
  if (type === 2) return length === 12 ? 12 : undefined;
  if (type === 5) return length >= 12 && length % 8 === 4 ? 4 : undefined;
  return type >= 0x8000 && length >= 6 && length <= 8192 ? length : undefined;
}

/** What a chunk says, in words; undefined when that can't be right. */
function contentOf(type: number, body: Buffer, length: number): string | undefined {
  if (type === 0) return "none";
  if (type === 1) return `data ${Number(body.readBigUInt64BE())} ${length - 8}`;
  if (type === 2) {
    const size = body.readUInt32BE(8);
    return size === 0 ? undefined : `hole ${Number(body.readBigUInt64BE())} ${size}`;
  }
  if (type === 5) return `status ${body.readUInt32BE()} ${(length - 4) / 8}`;
  return errorIn(type, body);
}

function errorIn(type: number, body: Buffer): string | undefined {
  const error = body.readUInt32BE();
  const end = 6 + body.readUInt16BE(4);
  const needed = type === 0x8002 ? end + 8 : end;
  if (error === 0 || end > 6 + 4096 || needed > body.length) return undefined;
  const place = type === 0x8002 ? body.readBigUInt64BE(end) : undefined;
  const said = body.toString("utf8", 6, end);
  const nul = said.indexOf("\0");
  const offset = place === undefined || place >= 2n ** 53n ? undefined : Number(place);
  return `error ${error} ${nul < 0 ? said : said.slice(0, nul)} ${offset}`;
}
