import { TRANSMISSION_FLAG } from "../../../src/protocol/constants.ts";

/** Everything that a server may offer. */
export const ALL_FLAGS =
  TRANSMISSION_FLAG.HAS_FLAGS |
  TRANSMISSION_FLAG.SEND_FLUSH |
  TRANSMISSION_FLAG.SEND_FUA |
  TRANSMISSION_FLAG.SEND_TRIM |
  TRANSMISSION_FLAG.SEND_WRITE_ZEROES |
  TRANSMISSION_FLAG.SEND_CACHE |
  TRANSMISSION_FLAG.SEND_FAST_ZERO;

const OPTION_MAGIC = Buffer.from("IHAVEOPT");
const REPLY_MAGIC = Buffer.from("0003e889045565a9", "hex");

/** What a fixed newstyle client says to get into the transmission phase of an export: its flags and GO. */
export function clientHello(name = ""): Buffer {
  return Buffer.concat([
    u32(3),
    OPTION_MAGIC,
    u32(7),
    u32(6 + name.length),
    u32(name.length),
    Buffer.from(name),
    u16(0),
  ]);
}

/** What a fixed newstyle server says to the answer to that, from its greeting to the ACK. */
export function serverHello(
  fields: {
    readonly sizeBytes?: number;
    readonly flags?: number;
    readonly blocks?: readonly [number, number, number];
  } = {},
): Buffer {
  const size = Buffer.alloc(8);
  size.writeBigUInt64BE(BigInt(fields.sizeBytes ?? 1024 * 1024));
  const exported = Buffer.concat([u16(0), size, u16(fields.flags ?? ALL_FLAGS)]);
  const blocks = fields.blocks === undefined ? [] : [goReply(3, Buffer.concat([u16(3), ...fields.blocks.map(u32)]))];
  const greeting = Buffer.concat([Buffer.from("NBDMAGICIHAVEOPT"), u16(3)]);
  return Buffer.concat([greeting, goReply(3, exported), ...blocks, goReply(1, Buffer.alloc(0))]);
}

/** What follows a server's hello: everything behind the ACK of GO. Undefined when that has not come yet. */
export function afterServerHello(bytes: Buffer): Buffer | undefined {
  for (let at = 18; at + 20 <= bytes.length;) {
    const end = at + 20 + bytes.readUInt32BE(at + 16);
    if (bytes.readUInt32BE(at + 12) === 1) return bytes.subarray(end);
    at = end;
  }
  return undefined;
}

/** What follows a client's hello: everything behind its flags and its GO. */
export function afterClientHello(bytes: Buffer): Buffer {
  return bytes.subarray(4 + 16 + bytes.readUInt32BE(16));
}

function goReply(type: number, data: Buffer): Buffer {
  return Buffer.concat([REPLY_MAGIC, u32(7), u32(type), u32(data.length), data]);
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function u16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}
