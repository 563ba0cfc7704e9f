import { type Dialogue, read, skip, write } from "./dialogue.ts";
import { encodeOptionReply } from "./option-reply.ts";
import { encodeText } from "./option-text.ts";

/** No data at all: what most replies carry. */
export const NO_DATA = Buffer.alloc(0);

/** The server answers an option, or says one thing of its answer. */
export function* answerOption(option: number, type: number, data: Buffer = NO_DATA): Dialogue<void> {
  yield* write(encodeOptionReply(option, type, data));
}

/** The server refuses an option with an `OPTION_REPLY.ERR_…`, and says why. */
export function* refuseOption(option: number, type: number, text: string): Dialogue<void> {
  yield* answerOption(option, type, encodeText(text));
}

/** Receives the data of an option; a driver is never asked for zero bytes. */
export function* receiveOptionData(lengthBytes: number): Dialogue<Buffer> {
  return lengthBytes === 0 ? NO_DATA : yield* read(lengthBytes);
}

/** Receives the data of an option and forgets it. */
export function* skipOptionData(lengthBytes: number): Dialogue<void> {
  if (lengthBytes > 0) yield* skip(lengthBytes);
}
