import { type ChunkError, decodeChunkError, encodeErrorChunk } from "../../../src/protocol/chunk-error.ts";
import { anyErrorText, errorChunk } from "../transcript/chunk-messages.ts";
import { mutate } from "../transcript/mutate.ts";
import { checkError } from "../support/check-text.ts";
import { expectThat, type FuzzTarget } from "../support/fuzz-target.ts";

const HEADER_BYTES = 20;

/** Error chunks of a server, and what becomes of them when they are passed on. */
export const chunkErrorTarget: FuzzTarget = {
  name: "chunk-error",
  role: "server",
  level: "parser",
  run(random, size) {
    const offset = random.pick([undefined, 0, 2 ** 32, 2 ** 53 - 1]);
    const made = errorChunk({ cookie: 7n, done: true }, random.pick([5, 28, 0xffffffff]), anyErrorText(random), offset);
    const bytes = Buffer.concat(mutate([made], random, random.integer(size + 1)).map((one) => one.bytes));
    const lengthBytes = bytes.length - HEADER_BYTES;
    if (lengthBytes < 6) return;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    let found: ChunkError;
    try {
      found = decodeChunkError(view, HEADER_BYTES, view.getUint16(6), lengthBytes);
    } catch (error) {
      checkError(error, ["ProtocolViolation"]);
      return;
    }
    const { error, text } = found;
    expectThat(error === bytes.readUInt32BE(HEADER_BYTES) && error !== 0, `an error ${error}`);
    expectThat(text.length <= 4096 && !text.includes("\0"), "a text that is none of the protocol");
    expectThat(found.offset === undefined || Number.isSafeInteger(found.offset), `an offset of ${found.offset}`);
    checkPassedOn(found);
  },
};

/** Encoded for somebody else, an error is what it was; a text may be cut, but no character of it. */
function checkPassedOn(found: ChunkError): void {
  const bytes = encodeErrorChunk({ cookieHigh: 0, cookieLow: 9, done: true }, found);
  const length = bytes.readUInt32BE(16);
  expectThat(bytes.length === HEADER_BYTES + length, "another length than it says");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const again = decodeChunkError(view, HEADER_BYTES, view.getUint16(6), length);
  expectThat(again.error === found.error && again.offset === found.offset, "another error was passed on");
  expectThat(found.text.startsWith(again.text), "another text was passed on");
  const isCut = again.text.length < found.text.length;
  expectThat(isCut === Buffer.byteLength(found.text) > 4096, "a text was cut without need");
}
