import { ProtocolViolation } from "../../../src/protocol/protocol-violation.ts";
import { ReplyDecoder, type ReplySink } from "../../../src/protocol/reply-decoder.ts";
import type { SeededRandom } from "../../simulation/seeded-random.ts";
import { anyChunk } from "../transcript/chunk-messages.ts";
import type { Message } from "../transcript/message.ts";
import { mutate } from "../transcript/mutate.ts";
import { simpleReply } from "../transcript/server-messages.ts";
import { expectThat, type FuzzTarget } from "../support/fuzz-target.ts";
import { breaks, type CutSource } from "./cut-source.ts";
import { decodeChunksPlainly, type FoundChunk } from "./plain-chunks.ts";

/** Only small cookies are known: what was mutated may be about nothing. */
const COOKIES = 40n;

/** The decoder of structured replies, against a second one that has all bytes at hand and no cleverness. */
export const chunkDecoderTarget: FuzzTarget = {
  name: "chunk-decoder",
  role: "server",
  level: "parser",
  run(random, size) {
    const messages = Array.from({ length: random.integer(2 * size + 1) }, () => reply(random));
    const bytes = Buffer.concat(mutate(messages, random, random.integer(size + 1)).map((one) => one.bytes));
    const sink = new ChunkSink();
    const decoder = new ReplyDecoder(sink, true);
    const violated = breaks(bytes, random, (source, start, end) => decoder.decode(source, start, end));
    const expected = decodeChunksPlainly(bytes, (cookie) => cookie < COOKIES);
    expectThat(violated === expected.violated, "another opinion on a violation");
    expectThat(sink.found.map(text).join("\n") === expected.found.map(text).join("\n"), "other chunks were found");
  },
};

function reply(random: SeededRandom): Message {
  const cookie = BigInt(random.integer(Number(COOKIES)));
  if (random.chance(0.2)) return simpleReply(random.pick([0, 0, 5, 0xffffffff]), cookie, Buffer.alloc(0));
  return anyChunk({ cookie, done: random.chance(0.5) }, random);
}

/** Keeps what a decoder finds, and sees to it that its calls make sense. */
class ChunkSink implements ReplySink<CutSource> {
  readonly found: FoundChunk[] = [];
  #saidContent = true;

  reply(error: number, cookieHigh: number, cookieLow: number): number {
    this.#begin(`simple ${error}`, cookieHigh, cookieLow);
    this.#saidContent = true;
    return 0;
  }

  chunk(cookieHigh: number, cookieLow: number, done: boolean): void {
    this.#begin(`chunk ${done}`, cookieHigh, cookieLow);
    this.#saidContent = false;
  }

  dataChunk(offset: number, lengthBytes: number): void {
    this.#say(`data ${offset} ${lengthBytes}`);
  }

  holeChunk(offset: number, lengthBytes: number): void {
    this.#say(`hole ${offset} ${lengthBytes}`);
  }

  statusChunk(contextId: number, extents: number): void {
    this.#say(`status ${contextId} ${extents}`);
  }

  errorChunk(error: { readonly error: number; readonly text: string; readonly offset: number | undefined }): void {
    this.#say(`error ${error.error} ${error.text} ${error.offset}`);
  }

  data(source: CutSource, start: number, end: number): void {
    this.#take(source, start, end);
  }

  extents(source: CutSource, start: number, end: number): void {
    expectThat((end - start) % 8 === 0, "half an extent");
    this.#take(source, start, end);
  }

  replyEnd(): void {
    const last = this.found.at(-1);
    expectThat(last !== undefined && !last.whole, "a reply ended twice");
    last.whole = true;
  }

  #begin(kind: string, cookieHigh: number, cookieLow: number): void {
    expectThat(this.found.at(-1)?.whole !== false, "a reply began inside another");
    const cookie = (BigInt(cookieHigh) << 32n) | BigInt(cookieLow);
    if (cookie >= COOKIES) throw new ProtocolViolation("unknown cookie");
    this.found.push({ head: `${kind} ${cookie}`, content: "none", payload: [], whole: false });
  }

  #say(content: string): void {
    expectThat(!this.#saidContent, "content without a chunk, or twice");
    this.#saidContent = true;
    const last = this.found.at(-1);
    if (last !== undefined) last.content = content;
  }

  #take(source: CutSource, start: number, end: number): void {
    expectThat(end > start, "no bytes at all");
    this.found.at(-1)?.payload.push(Buffer.from(source.bytes.subarray(start, end)));
  }
}

function text({ head, content, payload, whole }: FoundChunk): string {
  return `${head} ${content} ${Buffer.concat(payload).toString("latin1")} ${whole}`;
}
