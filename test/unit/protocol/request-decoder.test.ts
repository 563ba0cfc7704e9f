import fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { ByteSource } from "../../../src/protocol/byte-source.ts";
import { ProtocolViolation } from "../../../src/protocol/protocol-violation.ts";
import { RequestDecoder, type RequestSink } from "../../../src/protocol/request-decoder.ts";
import type { RequestHeader } from "../../../src/protocol/request-header.ts";
import { cutInto, everyCut } from "../support/cuts.ts";
import { parseRequests, requestBytes, type WireRequest } from "../support/naive-codec.ts";

interface Source extends ByteSource {
  readonly bytes: Buffer;
}

/** Puts the pieces of every request together, and refuses a request as often as `refusals` says. */
class Collector implements RequestSink<Source> {
  readonly requests: WireRequest[] = [];
  readonly headersAt: number[] = [];
  offered = 0;
  refusals = 0;
  #header: Readonly<RequestHeader> | undefined;
  #payload: Buffer[] = [];

  request(header: Readonly<RequestHeader>, source: Source, at: number): boolean {
    this.offered += 1;
    if (this.refusals > 0) {
      this.refusals -= 1;
      return false;
    }
    expect(this.#header, "a request began inside another").toBeUndefined();
    expect(source.view.getUint32(at)).toBe(0x25609513);
    this.headersAt.push(at);
    this.#header = { ...header };
    return true;
  }

  payload(source: Source, start: number, end: number): void {
    expect(end).toBeGreaterThan(start);
    this.#payload.push(Buffer.from(source.bytes.subarray(start, end)));
  }

  requestEnd(): void {
    const header = this.#header;
    if (header === undefined) throw new Error("a request ended that did not begin");
    const { command, flags, length } = header;
    this.requests.push({
      command,
      flags,
      length,
      cookie: (BigInt(header.cookieHigh) << 32n) | BigInt(header.cookieLow),
      offset: BigInt(header.offset),
      payload: Buffer.concat(this.#payload),
    });
    this.#header = undefined;
    this.#payload = [];
  }
}

/** Feeds pieces as a reader does: what was left over comes again, in front of what is new. Returns what is left at the end. */
function decodePieces(decoder: RequestDecoder<Source>, pieces: readonly Buffer[]): Buffer {
  let rest = Buffer.alloc(0);
  for (const piece of pieces) {
    const bytes = Buffer.concat([rest, piece]);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    rest = bytes.subarray(decoder.decode({ bytes, view }, 0, bytes.length));
  }
  return rest;
}

const CASES: readonly (readonly [string, Parameters<typeof requestBytes>[0]])[] = [
  ["a READ", { command: 0, cookie: 1n, offset: 4096, length: 512 }],
  ["a WRITE with its payload", { command: 1, cookie: 2n, offset: 512, payload: Buffer.from("the payload") }],
  ["a WRITE of nothing", { command: 1, cookie: 3n, length: 0 }],
  ["a DISC", { command: 2 }],
  ["a FLUSH with FUA", { command: 3, flags: 1, cookie: 4n }],
  ["a WRITE_ZEROES of 4 GiB less one, which has no payload", { command: 6, flags: 0x12, length: 0xffff_ffff }],
  ["a command that nobody knows, with a length but no payload", { command: 0xabcd, flags: 0xffff, length: 77 }],
  ["a cookie and an offset with all bits that fit", { cookie: 0xfedc_ba98_7654_3210n, offset: 2n ** 53n - 1n }],
];

describe("RequestDecoder", () => {
  it.each(CASES)("finds %s however it arrives", (_name, fields) => {
    const bytes = requestBytes(fields);
    const expected = parseRequests(bytes).requests;
    for (const pieces of everyCut(bytes)) {
      const sink = new Collector();
      expect(decodePieces(new RequestDecoder(sink), pieces)).toHaveLength(0);
      expect(sink.requests).toEqual(expected);
    }
  });

  it("finds a burst of requests, wherever it is cut", () => {
    const bytes = Buffer.concat(CASES.map(([, fields]) => requestBytes(fields)));
    const expected = parseRequests(bytes).requests;
    for (const pieces of everyCut(bytes)) {
      const sink = new Collector();
      expect(decodePieces(new RequestDecoder(sink), pieces)).toHaveLength(0);
      expect(sink.requests).toEqual(expected);
    }
  });

  it("says where a header was found, and leaves part of a header alone", () => {
    const sink = new Collector();
    const bytes = Buffer.concat([Buffer.alloc(5), requestBytes({}), requestBytes({}).subarray(0, 27)]);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    expect(new RequestDecoder(sink).decode({ bytes, view }, 5, bytes.length)).toBe(33);
    expect(sink.headersAt).toEqual([5]);
  });

  it("hands payload over as it comes, and knows that it is in the middle of one", () => {
    const sink = new Collector();
    const decoder = new RequestDecoder(sink);
    const bytes = requestBytes({ command: 1, payload: Buffer.from("abc") });
    expect(decodePieces(decoder, [bytes.subarray(0, 28)])).toHaveLength(0);
    expect([decoder.owedBytes, decoder.wholeRequests]).toEqual([3, 0]);
    expect(sink.requests).toEqual([]);
    decodePieces(decoder, [bytes.subarray(28)]);
    expect([decoder.owedBytes, decoder.wholeRequests]).toEqual([0, 1]);
    expect(sink.requests).toHaveLength(1);
  });

  it("offers a refused request again with the next bytes, and everything behind it only then", () => {
    const sink = new Collector();
    const decoder = new RequestDecoder(sink);
    const bytes = Buffer.concat([
      requestBytes({ cookie: 1n }),
      requestBytes({ cookie: 2n, command: 1, payload: Buffer.from("xy") }),
      requestBytes({ cookie: 3n }),
    ]);
    sink.refusals = 1;
    const rest = decodePieces(decoder, [bytes]);
    expect(rest).toHaveLength(bytes.length);
    sink.refusals = 2;
    expect(decodePieces(decoder, [rest])).toHaveLength(bytes.length);
    expect(decodePieces(decoder, [rest])).toHaveLength(bytes.length);
    expect(decodePieces(decoder, [rest])).toHaveLength(0);
    expect(sink.requests.map(({ cookie }) => cookie)).toEqual([1n, 2n, 3n]);
    expect(sink.offered).toBe(6);
  });

  it("gives up on a wrong magic, after what came before it", () => {
    const sink = new Collector();
    const wrong = requestBytes({});
    wrong[3] = 0x14;
    const bytes = Buffer.concat([requestBytes({ cookie: 9n }), wrong]);
    expect(() => decodePieces(new RequestDecoder(sink), [bytes])).toThrow(
      new ProtocolViolation("wrong request magic 0x25609514"),
    );
    expect(sink.requests.map(({ cookie }) => cookie)).toEqual([9n]);
  });

  it("does not judge a magic before the header is whole", () => {
    const rest = decodePieces(new RequestDecoder(new Collector()), [Buffer.alloc(27)]);
    expect(rest).toHaveLength(27);
    expect(() => decodePieces(new RequestDecoder(new Collector()), [Buffer.alloc(28)])).toThrow(
      "wrong request magic 0x00000000",
    );
  });

  it("agrees with a naive codec about any requests, any cuts and any refusals", () => {
    const requests = fc.array(
      fc.record({
        command: fc.oneof(fc.constant(1), fc.nat(9)),
        flags: fc.nat(0xffff),
        cookie: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
        offset: fc.maxSafeNat(),
        payload: fc.uint8Array({ maxLength: 90 }).map((bytes) => Buffer.from(bytes)),
      }),
      { maxLength: 12 },
    );
    const cuts = fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1 });
    fc.assert(
      fc.property(requests, cuts, fc.nat(5), (made, lengths, refusals) => {
        const bytes = Buffer.concat(
          made.map((fields) =>
            fields.command === 1
              ? requestBytes(fields)
              : requestBytes({ ...fields, length: fields.payload.length, payload: Buffer.alloc(0) }),
          ),
        );
        const sink = new Collector();
        sink.refusals = refusals;
        const nothing = Array.from({ length: refusals }, () => Buffer.alloc(0));
        expect(decodePieces(new RequestDecoder(sink), [...cutInto(bytes, lengths), ...nothing])).toHaveLength(0);
        expect(sink.requests).toEqual(parseRequests(bytes).requests);
      }),
      { numRuns: 300 },
    );
  });
});
