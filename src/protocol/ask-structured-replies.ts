import { OPTION, OPTION_REPLY } from "./constants.ts";
import { type Dialogue, write } from "./dialogue.ts";
import { encodeOption } from "./option-header.ts";
import { isErrorReply, optionReplyName } from "./option-reply.ts";
import { ProtocolViolation } from "./protocol-violation.ts";
import { type OptionReplyLimits, receiveOptionReply } from "./receive-option-reply.ts";

/** The client asks for structured replies; false when the server has none to give, whatever its reason. */
export function* askStructuredReplies(limits: OptionReplyLimits): Dialogue<boolean> {
  yield* write(encodeOption(OPTION.STRUCTURED_REPLY, Buffer.alloc(0)));
  const { type } = yield* receiveOptionReply(OPTION.STRUCTURED_REPLY, limits);
  if (type === OPTION_REPLY.ACK) return true;
  if (isErrorReply(type)) return false;
  throw new ProtocolViolation(`STRUCTURED_REPLY was answered with ${optionReplyName(type)}`);
}
