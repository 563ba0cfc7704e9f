import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { ProtocolViolation } from "../../../src/protocol/protocol-violation.ts";
import { ReplyDecoder } from "../../../src/protocol/reply-decoder.ts";
import { cutInto, everyCut } from "../support/cuts.ts";
import { parseReplies, replyBytes, type WireReply } from "../support/naive-codec.ts";
import { type BufferSource, dataBytes, decodePieces, expected, ReplyCollector } from "./support/reply-collector.ts";

const CASES: readonly (readonly [string, Partial<WireReply>])[] = [
  ["an answer without data", { cookie: 0x100n }],
  ["an answer with data", { cookie: 0x0005n, data: Buffer.from("12345") }],
  ["an error, which has no data", { cookie: 0x0005n, error: 5 }],
  ["an error that nobody knows", { cookie: 0x0005n, error: 0xffff_ffff }],
  ["a cookie with all bits", { cookie: 0xfedc_ba98_7654_3208n, data: Buffer.from("8 bytes!") }],
];

function decoderFor(sink: ReplyCollector): ReplyDecoder<BufferSource> {
  return new ReplyDecoder(sink, false);
}

describe("ReplyDecoder of simple replies", () => {
  it.each(CASES)("finds %s however it arrives", (_name, fields) => {
    const bytes = replyBytes(fields);
    for (const pieces of everyCut(bytes)) {
      const sink = new ReplyCollector();
      expect(decodePieces(decoderFor(sink), pieces)).toHaveLength(0);
      expect(sink.found).toEqual(expected(parseReplies(bytes, dataBytes).replies));
    }
  });

  it("finds a burst of replies, wherever it is cut", () => {
    const bytes = Buffer.concat(CASES.map(([, fields]) => replyBytes(fields)));
    for (const pieces of everyCut(bytes)) {
      const sink = new ReplyCollector();
      expect(decodePieces(decoderFor(sink), pieces)).toHaveLength(0);
      expect(sink.found).toEqual(expected(parseReplies(bytes, dataBytes).replies));
    }
  });

  it("gives up on a structured reply that was not negotiated, after what came before it", () => {
    const sink = new ReplyCollector();
    const bytes = Buffer.concat([replyBytes({ cookie: 0x100n }), Buffer.from("668e33ef".padEnd(32, "0"), "hex")]);
    expect(() => decodePieces(decoderFor(sink), [bytes])).toThrow(
      new ProtocolViolation("wrong reply magic 0x668e33ef"),
    );
    expect(sink.found).toHaveLength(1);
  });

  it("passes on what the sink thinks of a cookie", () => {
    expect(() => decodePieces(decoderFor(new ReplyCollector()), [replyBytes({ cookie: 0xdeadn })])).toThrow(
      "nobody waits for that",
    );
  });

  it("agrees with a naive codec about any replies and any cuts", () => {
    const reply = fc
      .record({
        error: fc.oneof(fc.constant(0), fc.nat(0xffff_ffff)),
        high: fc.bigInt({ min: 0n, max: 2n ** 56n - 1n }),
        data: fc.uint8Array({ maxLength: 255 }).map((bytes) => Buffer.from(bytes)),
      })
      .map(({ error, high, data }) => ({
        error,
        cookie: (high << 8n) | BigInt(data.length),
        data: error === 0 ? data : Buffer.alloc(0),
      }))
      .filter(({ cookie }) => cookie !== 0xdeadn);
    const cuts = fc.array(fc.integer({ min: 1, max: 70 }), { minLength: 1 });
    fc.assert(
      fc.property(fc.array(reply, { maxLength: 12 }), cuts, (made, lengths) => {
        const sink = new ReplyCollector();
        const bytes = Buffer.concat(made.map(replyBytes));
        expect(decodePieces(decoderFor(sink), cutInto(bytes, lengths))).toHaveLength(0);
        expect(sink.found).toEqual(expected(made));
      }),
      { numRuns: 300 },
    );
  });
});
