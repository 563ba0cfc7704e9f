import { STRING_LIMIT_BYTES } from "./constants.ts";
import type { SelectedContext } from "./metadata-context.ts";
import { decodeText, encodeText } from "./option-text.ts";
import { ProtocolViolation } from "./protocol-violation.ts";

const ID_BYTES = 4;

/**
 * The data of a reply of type META_CONTEXT ("Option reply types"). The id means nothing in an answer to LIST_META_CONTEXT.
 *
 *     0    4
 *     | id | name …
 */
export function encodeMetadataContext({ id, name }: SelectedContext): Buffer {
  const bytes = Buffer.allocUnsafe(ID_BYTES);
  bytes.writeUInt32BE(id, 0);
  return Buffer.concat([bytes, encodeText(name)]);
}

/**
 * The reverse of `encodeMetadataContext`; a name is undefined when it isn't fit to be repeated. Throws ProtocolViolation when
 * there is no id, or more name than the protocol allows.
 */
export function decodeMetadataContext(bytes: Buffer): { readonly id: number; readonly name: string | undefined } {
  if (bytes.length < ID_BYTES) throw new ProtocolViolation(`a META_CONTEXT reply has ${bytes.length} bytes of data`);
  if (bytes.length > ID_BYTES + STRING_LIMIT_BYTES) {
    throw new ProtocolViolation(`a metadata context's name has ${bytes.length - ID_BYTES} bytes`);
  }
  return { id: bytes.readUInt32BE(0), name: decodeText(bytes.subarray(ID_BYTES)) };
}
