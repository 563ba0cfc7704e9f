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
const NOTHING = Buffer.alloc(0);

const EXPORT_NAME = 1;
const GO = 7;
const STRUCTURED_REPLY = 8;
const LIST_META_CONTEXT = 9;
const SET_META_CONTEXT = 10;
const ACK = 1;
const INFO = 3;
const META_CONTEXT = 4;
const ERR_UNSUP = 0x8000_0001;

/** What a client asks for beside its export. */
export interface ClientWishes {
  readonly structured?: boolean;
  /** Metadata contexts to be selected; they need structured replies, and so ask for them. */
  readonly contexts?: readonly string[];
}

/** What a server offers. */
export interface ServerOffer {
  readonly sizeBytes?: number;
  readonly flags?: number;
  readonly blocks?: readonly [number, number, number];
  /** Whether it agrees to structured replies; else it does not know that option. */
  readonly structured?: boolean;
  /**
   * Metadata contexts, whose ids are 1, 2, … in this order; they need structured replies, and so agree to them. At most
   * as many as a client selects of a server.
   */
  readonly contexts?: readonly string[];
}

/** What a fixed newstyle client says to get into the transmission phase of an export: its flags, its wishes and GO. */
export function clientHello(name = "", wishes: ClientWishes = {}): Buffer {
  const { contexts = [], structured = contexts.length > 0 } = wishes;
  return Buffer.concat([
    u32(3),
    ...(structured ? [option(STRUCTURED_REPLY, NOTHING)] : []),
    ...(contexts.length === 0
      ? []
      : [option(SET_META_CONTEXT, Buffer.concat([text(name), u32(contexts.length), ...contexts.map(text)]))]),
    option(GO, Buffer.concat([text(name), u16(0)])),
  ]);
}

/** What a fixed newstyle server says to all that an `UpstreamSession` asks of it, from its greeting to the ACK of GO. */
export function serverHello(offer: ServerOffer = {}): Buffer {
  const size = Buffer.alloc(8);
  size.writeBigUInt64BE(BigInt(offer.sizeBytes ?? 1024 * 1024));
  const exported = Buffer.concat([u16(0), size, u16(offer.flags ?? ALL_FLAGS)]);
  const { contexts = [], structured = contexts.length > 0, blocks } = offer;
  return Buffer.concat([
    Buffer.from("NBDMAGICIHAVEOPT"),
    u16(3),
    ...(structured ? structuredAnswers(contexts) : [reply(STRUCTURED_REPLY, ERR_UNSUP)]),
    reply(GO, INFO, exported),
    ...(blocks === undefined ? [] : [reply(GO, INFO, Buffer.concat([u16(3), ...blocks.map(u32)]))]),
    reply(GO, ACK),
  ]);
}

/** The answers to STRUCTURED_REPLY, to LIST_META_CONTEXT, and, when there is something to select, to SET_META_CONTEXT. */
function structuredAnswers(contexts: readonly string[]): Buffer[] {
  const listed = contexts.map((name) => reply(LIST_META_CONTEXT, META_CONTEXT, Buffer.from(`\0\0\0\0${name}`)));
  const selected = contexts.map((name, index) =>
    reply(SET_META_CONTEXT, META_CONTEXT, Buffer.concat([u32(index + 1), Buffer.from(name)])),
  );
  return [
    reply(STRUCTURED_REPLY, ACK),
    ...listed,
    reply(LIST_META_CONTEXT, ACK),
    ...(contexts.length === 0 ? [] : [...selected, reply(SET_META_CONTEXT, ACK)]),
  ];
}

/** What follows a server's hello: everything behind the ACK of GO. Undefined when that has not come yet. */
export function afterServerHello(bytes: Buffer): Buffer | undefined {
  for (let at = 18; at + 20 <= bytes.length;) {
    const end = at + 20 + bytes.readUInt32BE(at + 16);
    if (bytes.readUInt32BE(at + 8) === GO && bytes.readUInt32BE(at + 12) === ACK) return bytes.subarray(end);
    at = end;
  }
  return undefined;
}

/** What follows a client's hello: everything behind its flags and its options, the last of which is GO or EXPORT_NAME. */
export function afterClientHello(bytes: Buffer): Buffer {
  for (let at = 4; at + 16 <= bytes.length;) {
    const end = at + 16 + bytes.readUInt32BE(at + 12);
    if ([GO, EXPORT_NAME].includes(bytes.readUInt32BE(at + 8))) return bytes.subarray(end);
    at = end;
  }
  return NOTHING;
}

function option(number: number, data: Buffer): Buffer {
  return Buffer.concat([OPTION_MAGIC, u32(number), u32(data.length), data]);
}

function reply(to: number, type: number, data = NOTHING): Buffer {
  return Buffer.concat([REPLY_MAGIC, u32(to), u32(type), u32(data.length), data]);
}

/** A string with its length before it. */
function text(string: string): Buffer {
  const bytes = Buffer.from(string);
  return Buffer.concat([u32(bytes.length), bytes]);
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
