import fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { ByteSource } from "../../../src/protocol/byte-source.ts";
import { ProtocolViolation } from "../../../src/protocol/protocol-violation.ts";
import { ReplyDecoder, type ReplySink } from "../../../src/protocol/reply-decoder.ts";
import { cutInto, everyCut } from "../support/cuts.ts";
import { parseReplies, replyBytes, type WireReply } from "../support/naive-codec.ts";

interface Source extends ByteSource {
  readonly bytes: Buffer;
}

/** Puts the pieces of every reply together; the cookie itself says how much data belongs to it. */
class Collector implements ReplySink<Source> {
  readonly replies: WireReply[] = [];
  #current: { readonly error: number; readonly cookie: bigint; readonly data: Buffer[] } | undefined;

  reply(error: number, cookieHigh: number, cookieLow: number, source: Source, at: number): number {
    expect(this.#current, "a reply began inside another").toBeUndefined();
    expect(source.view.getUint32(at)).toBe(0x67446698);
    const cookie = (BigInt(cookieHigh) << 32n) | BigInt(cookieLow);
    if (cookie === 0xdeadn) throw new ProtocolViolation("nobody waits for that");
    this.#current = { error, cookie, data: [] };
    return error === 0 ? dataBytes(cookie) : 0;
  }

  data(source: Source, start: number, end: number): void {
    expect(end).toBeGreaterThan(start);
    this.#current?.data.push(Buffer.from(source.bytes.subarray(start, end)));
  }

  replyEnd(): void {
    const current = this.#current;
    if (current === undefined) throw new Error("a reply ended that did not begin");
    this.replies.push({ ...current, data: Buffer.concat(current.data) });
    this.#current = undefined;
  }
}

function dataBytes(cookie: bigint): number {
  return Number(cookie & 0xffn);
}

function decodePieces(decoder: ReplyDecoder<Source>, pieces: readonly Buffer[]): Buffer {
  let rest = Buffer.alloc(0);
  for (const piece of pieces) {
    const bytes = Buffer.concat([rest, piece]);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    rest = bytes.subarray(decoder.decode({ bytes, view }, 0, bytes.length));
  }
  return rest;
}

const CASES: readonly (readonly [string, Partial<WireReply>])[] = [
  ["an answer without data", { cookie: 0x100n }],
  ["an answer with data", { cookie: 0x0005n, data: Buffer.from("12345") }],
  ["an error, which has no data", { cookie: 0x0005n, error: 5 }],
  ["an error that nobody knows", { cookie: 0x0005n, error: 0xffff_ffff }],
  ["a cookie with all bits", { cookie: 0xfedc_ba98_7654_3208n, data: Buffer.from("8 bytes!") }],
];

describe("ReplyDecoder", () => {
  it.each(CASES)("finds %s however it arrives", (_name, fields) => {
    const bytes = replyBytes(fields);
    for (const pieces of everyCut(bytes)) {
      const sink = new Collector();
      expect(decodePieces(new ReplyDecoder(sink), pieces)).toHaveLength(0);
      expect(sink.replies).toEqual(parseReplies(bytes, dataBytes).replies);
    }
  });

  it("finds a burst of replies, wherever it is cut", () => {
    const bytes = Buffer.concat(CASES.map(([, fields]) => replyBytes(fields)));
    for (const pieces of everyCut(bytes)) {
      const sink = new Collector();
      expect(decodePieces(new ReplyDecoder(sink), pieces)).toHaveLength(0);
      expect(sink.replies).toEqual(parseReplies(bytes, dataBytes).replies);
    }
  });

  it("gives up on a wrong magic, after what came before it", () => {
    const sink = new Collector();
    const bytes = Buffer.concat([replyBytes({ cookie: 0x100n }), Buffer.from("668e33ef".padEnd(32, "0"), "hex")]);
    expect(() => decodePieces(new ReplyDecoder(sink), [bytes])).toThrow(
      new ProtocolViolation("wrong reply magic 0x668e33ef"),
    );
    expect(sink.replies).toHaveLength(1);
  });

  it("passes on what the sink thinks of a cookie", () => {
    expect(() => decodePieces(new ReplyDecoder(new Collector()), [replyBytes({ cookie: 0xdeadn })])).toThrow(
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
        const sink = new Collector();
        const bytes = Buffer.concat(made.map(replyBytes));
        expect(decodePieces(new ReplyDecoder(sink), cutInto(bytes, lengths))).toHaveLength(0);
        expect(sink.replies).toEqual(made);
      }),
      { numRuns: 300 },
    );
  });
});
