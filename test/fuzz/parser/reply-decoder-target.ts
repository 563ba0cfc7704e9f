import { ProtocolViolation } from "../../../src/protocol/protocol-violation.ts";
import { ReplyDecoder, type ReplySink } from "../../../src/protocol/reply-decoder.ts";
import type { SeededRandom } from "../../simulation/seeded-random.ts";
import type { Message } from "../transcript/message.ts";
import { mutate } from "../transcript/mutate.ts";
import { simpleReply } from "../transcript/server-messages.ts";
import { expectThat, Finding, type FuzzTarget } from "../support/fuzz-target.ts";
import { breaks, type CutSource } from "./cut-source.ts";

/** A reply as it was found. */
interface Found {
  readonly header: string;
  data: Buffer[];
  whole: boolean;
}

/** Which requests are in flight: the length of each READ's data by its cookie. Each is answered once. */
type InFlight = Map<string, number>;

/** The decoder of simple replies, against a second one that has all bytes at hand and no cleverness. */
export const replyDecoderTarget: FuzzTarget = {
  name: "reply-decoder",
  role: "server",
  level: "parser",
  run(random, size) {
    const inFlight: InFlight = new Map();
    const replies = Array.from({ length: random.integer(2 * size + 1) }, () => reply(random, inFlight));
    const bytes = Buffer.concat(mutate(replies, random, random.integer(size + 1)).map((one) => one.bytes));
    const expected = decodePlainly(bytes, new Map(inFlight));
    const found: Found[] = [];
    const sink: ReplySink<CutSource> = {
      reply(error, cookieHigh, cookieLow) {
        const length = take(inFlight, cookieHigh, cookieLow);
        if (length === undefined) throw new ProtocolViolation("unknown cookie");
        found.push({ header: [error, cookieHigh, cookieLow].join(), data: [], whole: false });
        return error === 0 ? length : 0;
      },
      data: (source, start, end) => void found.at(-1)?.data.push(source.bytes.subarray(start, end)),
      replyEnd() {
        const last = found.at(-1);
        expectThat(last !== undefined && !last.whole, "a reply ended twice");
        last.whole = true;
      },
      chunk: notNegotiated,
      dataChunk: notNegotiated,
      holeChunk: notNegotiated,
      statusChunk: notNegotiated,
      errorChunk: notNegotiated,
      extents: notNegotiated,
    };
    const decoder = new ReplyDecoder(sink, false);
    const violated = breaks(bytes, random, (source, start, end) => decoder.decode(source, start, end));
    expectThat(violated === expected.violated, "another opinion on a violation");
    expectThat(found.map(text).join("\n") === expected.found.map(text).join("\n"), "other replies were found");
  },
};

function notNegotiated(): never {
  throw new Finding("found a chunk where none was negotiated");
}

function reply(random: SeededRandom, inFlight: InFlight): Message {
  const cookieHigh = random.integer(3);
  const cookieLow = random.integer(40);
  const length = random.chance(0.5) ? 0 : random.integer(random.chance(0.1) ? 3000 : 60);
  const known = inFlight.get(key(cookieHigh, cookieLow));
  if (known === undefined) inFlight.set(key(cookieHigh, cookieLow), length);
  const error = random.chance(0.8) ? 0 : random.pick([1, 5, 22, 108, 0xffffffff]);
  const cookie = (BigInt(cookieHigh) << 32n) | BigInt(cookieLow);
  return simpleReply(error, cookie, Buffer.alloc(error === 0 ? (known ?? length) : 0, random.integer(256)));
}

function take(inFlight: InFlight, cookieHigh: number, cookieLow: number): number | undefined {
  const length = inFlight.get(key(cookieHigh, cookieLow));
  inFlight.delete(key(cookieHigh, cookieLow));
  return length;
}

function decodePlainly(bytes: Buffer, inFlight: InFlight): { found: Found[]; violated: boolean } {
  const found: Found[] = [];
  let at = 0;
  while (bytes.length - at >= 16) {
    if (bytes.readUInt32BE(at) !== 0x67446698) return { found, violated: true };
    const header = [bytes.readUInt32BE(at + 4), bytes.readUInt32BE(at + 8), bytes.readUInt32BE(at + 12)] as const;
    const length = take(inFlight, header[1], header[2]);
    if (length === undefined) return { found, violated: true };
    at += 16;
    const owed = header[0] === 0 ? length : 0;
    const data = bytes.subarray(at, at + owed);
    found.push({ header: header.join(), data: [data], whole: data.length === owed });
    at += data.length;
  }
  return { found, violated: false };
}

function key(cookieHigh: number, cookieLow: number): string {
  return `${cookieHigh}:${cookieLow}`;
}

function text({ header, data, whole }: Found): string {
  return `${header} ${Buffer.concat(data).toString("latin1")} ${whole}`;
}
