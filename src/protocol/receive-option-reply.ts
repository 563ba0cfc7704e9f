import { OPTION_REPLY } from "./constants.ts";
import { type Dialogue, read } from "./dialogue.ts";
import { decodeOptionReplyHeader, OPTION_REPLY_HEADER_BYTES } from "./option-reply.ts";
import { ProtocolViolation } from "./protocol-violation.ts";

/** What a server may answer to one option. */
export interface OptionReplyLimits {
  /** Replies to one option. */
  readonly optionReplies: number;
  /** Data of one reply. */
  readonly optionReplyBytes: number;
}

/** A whole reply to an option: its type (`OPTION_REPLY`) and its data. */
export interface OptionReply {
  readonly type: number;
  readonly data: Buffer;
}

/**
 * Receives one reply to an option; its length is checked before a byte of its data is asked for. Throws ProtocolViolation, also
 * when an ACK carries data.
 */
export function* receiveOptionReply(option: number, limits: OptionReplyLimits): Dialogue<OptionReply> {
  const header = decodeOptionReplyHeader(yield* read(OPTION_REPLY_HEADER_BYTES));
  if (header.option !== option) {
    throw new ProtocolViolation(`a reply to option ${header.option} arrived where one to ${option} was due`);
  }
  if (header.lengthBytes > limits.optionReplyBytes) {
    throw new ProtocolViolation(`an option reply claims ${header.lengthBytes} bytes of data`);
  }
  if (header.type === OPTION_REPLY.ACK && header.lengthBytes > 0) {
    throw new ProtocolViolation(`an ACK carries ${header.lengthBytes} bytes of data`);
  }
  return { type: header.type, data: header.lengthBytes === 0 ? Buffer.alloc(0) : yield* read(header.lengthBytes) };
}
