import { decodeText, encodeText } from "./option-text.ts";

/** The fields around the name: its length before it, the number of wishes behind it. */
const NAME_LENGTH_BYTES = 4;
const COUNT_BYTES = 2;

/** What a client asks with INFO or GO: an export's name, and the kinds of information (`INFO`) it would like. */
export interface ExportQuery {
  readonly exportName: string;
  readonly informationTypes: readonly number[];
}

/**
 * The data of INFO and GO ("Option types").
 *
 *     0             4      4+n     6+n
 *     | name length | name | count | type (2 bytes each) …
 */
export function encodeExportQuery(query: ExportQuery): Buffer {
  const name = encodeText(query.exportName);
  const bytes = Buffer.allocUnsafe(NAME_LENGTH_BYTES + name.length + COUNT_BYTES + 2 * query.informationTypes.length);
  bytes.writeUInt32BE(name.length, 0);
  name.copy(bytes, NAME_LENGTH_BYTES);
  let at = bytes.writeUInt16BE(query.informationTypes.length, NAME_LENGTH_BYTES + name.length);
  for (const type of query.informationTypes) at = bytes.writeUInt16BE(type, at);
  return bytes;
}

/** The reverse of `encodeExportQuery`; undefined when the lengths contradict each other or the name is no string. */
export function decodeExportQuery(bytes: Buffer): ExportQuery | undefined {
  if (bytes.length < NAME_LENGTH_BYTES + COUNT_BYTES) return undefined;
  const nameBytes = bytes.readUInt32BE(0);
  if (nameBytes > bytes.length - NAME_LENGTH_BYTES - COUNT_BYTES) return undefined;

  const nameEnd = NAME_LENGTH_BYTES + nameBytes;
  const exportName = decodeText(bytes.subarray(NAME_LENGTH_BYTES, nameEnd));
  const count = bytes.readUInt16BE(nameEnd);
  const typesAt = nameEnd + COUNT_BYTES;
  if (exportName === undefined || bytes.length - typesAt !== 2 * count) return undefined;

  const informationTypes = Array.from({ length: count }, (_, index) => bytes.readUInt16BE(typesAt + 2 * index));
  return { exportName, informationTypes };
}
