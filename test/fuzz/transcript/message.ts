/** A number in a message: where it stands and how long it is. */
export interface Field {
  readonly at: number;
  readonly sizeBytes: 2 | 4 | 8;
}

/** One message of a conversation, and where its numbers are: what a mutation that knows the protocol turns to first. */
export interface Message {
  readonly bytes: Buffer;
  readonly fields: readonly Field[];
}

/** A part of a message: plain bytes, a number, or a message inside. */
export type Part = Buffer | Numeral | Message;

interface Numeral {
  readonly sizeBytes: 2 | 4 | 8;
  readonly value: bigint;
}

/** Two, four or eight bytes, big-endian. */
export function u16(value: number): Part {
  return { sizeBytes: 2, value: BigInt(value) };
}

/** See `u16`. */
export function u32(value: number): Part {
  return { sizeBytes: 4, value: BigInt(value) };
}

/** See `u16`. */
export function u64(value: number | bigint): Part {
  return { sizeBytes: 8, value: BigInt(value) };
}

/** A message made of these parts. */
export function message(...parts: readonly Part[]): Message {
  const pieces: Buffer[] = [];
  const fields: Field[] = [];
  let at = 0;
  for (const part of parts) {
    if (Buffer.isBuffer(part)) pieces.push(part);
    else if ("bytes" in part) {
      for (const field of part.fields) fields.push({ at: at + field.at, sizeBytes: field.sizeBytes });
      pieces.push(part.bytes);
    } else {
      fields.push({ at, sizeBytes: part.sizeBytes });
      pieces.push(number(part));
    }
    at += pieces.at(-1)?.length ?? 0;
  }
  return { bytes: Buffer.concat(pieces), fields };
}

function number({ sizeBytes, value }: Numeral): Buffer {
  const bytes = Buffer.allocUnsafe(sizeBytes);
  if (sizeBytes === 2) bytes.writeUInt16BE(Number(value & 0xffffn));
  else if (sizeBytes === 4) bytes.writeUInt32BE(Number(value & 0xffffffffn));
  else bytes.writeBigUInt64BE(value & 0xffffffffffffffffn);
  return bytes;
}
