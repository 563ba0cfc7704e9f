import { decodeText, encodeText } from "./option-text.ts";

const LENGTH_BYTES = 4;
const COUNT_BYTES = 4;

/** What a client asks with LIST_META_CONTEXT or SET_META_CONTEXT: an export's name, and which contexts it means. */
export interface MetadataQuery {
  readonly exportName: string;
  /** Names of contexts, and in LIST also beginnings of names; none means all in LIST, and none in SET. */
  readonly queries: readonly string[];
}

/**
 * The data of LIST_META_CONTEXT and SET_META_CONTEXT ("Option types").
 *
 *     0             4      4+n     8+n
 *     | name length | name | count | query length (4) | query | …
 */
export function encodeMetadataQuery({ exportName, queries }: MetadataQuery): Buffer {
  const count = Buffer.allocUnsafe(COUNT_BYTES);
  count.writeUInt32BE(queries.length, 0);
  return Buffer.concat([encodeString(exportName), count, ...queries.map(encodeString)]);
}

/** The reverse of `encodeMetadataQuery`; undefined when the lengths contradict each other or a text is no string. */
export function decodeMetadataQuery(bytes: Buffer): MetadataQuery | undefined {
  const name = decodeString(bytes, 0);
  if (name === undefined || bytes.length - name.end < COUNT_BYTES) return undefined;
  const count = bytes.readUInt32BE(name.end);
  const queries: string[] = [];
  let at = name.end + COUNT_BYTES;
  while (queries.length < count) {
    const query = decodeString(bytes, at);
    if (query === undefined) return undefined;
    queries.push(query.text);
    at = query.end;
  }
  return at === bytes.length ? { exportName: name.text, queries } : undefined;
}

function encodeString(text: string): Buffer {
  const bytes = encodeText(text);
  const length = Buffer.allocUnsafe(LENGTH_BYTES);
  length.writeUInt32BE(bytes.length, 0);
  return Buffer.concat([length, bytes]);
}

/** The string at `at`, which has its length before it, and where it ends. */
function decodeString(bytes: Buffer, at: number): { text: string; end: number } | undefined {
  const textAt = at + LENGTH_BYTES;
  if (textAt > bytes.length) return undefined;
  const lengthBytes = bytes.readUInt32BE(at);
  if (lengthBytes > bytes.length - textAt) return undefined;
  const text = decodeText(bytes.subarray(textAt, textAt + lengthBytes));
  return text === undefined ? undefined : { text, end: textAt + lengthBytes };
}
