import { RequestDecoder } from "../../../src/protocol/request-decoder.ts";
import type { RequestHeader } from "../../../src/protocol/request-header.ts";
import { requests } from "../transcript/client-messages.ts";
import { mutate } from "../transcript/mutate.ts";
import { checkError } from "../support/check-text.ts";
import { expectThat, type FuzzTarget } from "../support/fuzz-target.ts";
import { type CutSource, feed } from "./cut-source.ts";

/** A request as it was found. */
interface Found {
  readonly header: string;
  payload: Buffer[];
  whole: boolean;
}

/** The decoder of requests, against a second one that has all bytes at hand and no cleverness. */
export const requestDecoderTarget: FuzzTarget = {
  name: "request-decoder",
  role: "client",
  level: "parser",
  run(random, size) {
    const longestBytes = random.pick([0, 64, 64, 3000]);
    const messages = requests(random, { sizeBytes: 2 ** random.integer(53), longestBytes }, 2 * size);
    const bytes = Buffer.concat(mutate(messages, random, random.integer(size + 1)).map((one) => one.bytes));
    const found: Found[] = [];
    const refuses = random.chance(0.3);
    let refused = false;
    const decoder = new RequestDecoder<CutSource>({
      request(header) {
        refused = refuses && random.chance(0.3);
        if (!refused) found.push({ header: describe(header), payload: [], whole: false });
        return !refused;
      },
      payload: (source, start, end) => void found.at(-1)?.payload.push(source.bytes.subarray(start, end)),
      requestEnd() {
        const last = found.at(-1);
        expectThat(last !== undefined && !last.whole, "a request ended twice");
        last.whole = true;
      },
    });
    let violation: unknown;
    try {
      const decode = (source: CutSource, start: number, end: number): number => {
        refused = false;
        return decoder.decode(source, start, end);
      };
      feed(bytes, random, decode, () => refused);
    } catch (error) {
      checkError(error, ["ProtocolViolation"]);
      violation = error;
    }
    const expected = decodePlainly(bytes);
    expectThat((violation !== undefined) === expected.violated, "another opinion on a violation");
    expectThat(found.map(text).join("\n") === expected.found.map(text).join("\n"), "other requests were found");
    expectThat(decoder.wholeRequests === found.filter((one) => one.whole).length, "counted another number");
  },
};

function decodePlainly(bytes: Buffer): { found: Found[]; violated: boolean } {
  const found: Found[] = [];
  let at = 0;
  while (bytes.length - at >= 28) {
    if (bytes.readUInt32BE(at) !== 0x25609513) return { found, violated: true };
    const header = {
      flags: bytes.readUInt16BE(at + 4),
      command: bytes.readUInt16BE(at + 6),
      cookieHigh: bytes.readUInt32BE(at + 8),
      cookieLow: bytes.readUInt32BE(at + 12),
      offset: Number(bytes.readBigUInt64BE(at + 16)),
      length: bytes.readUInt32BE(at + 24),
    };
    at += 28;
    const owed = header.command === 1 ? header.length : 0;
    const payload = bytes.subarray(at, at + owed);
    found.push({ header: describe(header), payload: [payload], whole: payload.length === owed });
    at += payload.length;
  }
  return { found, violated: false };
}

function describe({ flags, command, cookieHigh, cookieLow, offset, length }: Readonly<RequestHeader>): string {
  return [flags, command, cookieHigh, cookieLow, offset, length].join();
}

function text({ header, payload, whole }: Found): string {
  return `${header} ${Buffer.concat(payload).toString("latin1")} ${whole}`;
}
