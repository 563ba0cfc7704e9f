import { describe, expect, it } from "vitest";

import { clientHandshake, type Negotiation } from "../../../src/protocol/client-handshake.ts";
import type { Geometry } from "../../../src/protocol/geometry.ts";
import { HandshakeRefused } from "../../../src/protocol/handshake-refused.ts";
import { ProtocolViolation } from "../../../src/protocol/protocol-violation.ts";
import { type Driven, driveDialogue, driveEveryWay } from "./support/drive-dialogue.ts";
import { GREETING, option, optionReply, u32, wireBytes } from "./support/wire-bytes.ts";

const LIMITS = { optionReplies: 8, optionReplyBytes: 6000, contexts: 4 };

const GO = 7;
const ACK = 1;
const INFO = 3;
const GO_DISK = "49484156454f5054 00000007 00000010 00000004 6469736b 0003 0001 0002 0003";
const EXPORT_64M = optionReply(GO, INFO, "0000 0000000004000000 000d");
const ACKED = optionReply(GO, ACK);
/** What a server says that knows no structured replies, and with its greeting. */
const UNSUP_8 = optionReply(8, 0x80000001);
const SIMPLE = wireBytes(GREETING, UNSUP_8);
/** What it hears: client flags, and the option that it does not know. */
const ASKED = wireBytes("00000003", option(8));
const UNSUPPORTED = optionReply(GO, 0x80000001, Buffer.from("what?"));

function ask(bytes: Buffer, exportName = "disk"): Promise<Driven<Negotiation>> {
  return driveEveryWay(() => clientHandshake({ exportName, limits: LIMITS }), bytes);
}

async function geometryAfter(...replies: readonly (string | Buffer)[]): Promise<Geometry> {
  const { ending } = await ask(wireBytes(SIMPLE, ...replies));
  if (ending.kind !== "returned") throw new Error(`no geometry: ${JSON.stringify(ending)}`, { cause: ending });
  return ending.result.geometry;
}

async function errorAfter(...bytes: readonly (string | Buffer)[]): Promise<Error> {
  const { ending } = await ask(wireBytes(...bytes));
  if (ending.kind !== "threw" || !(ending.error instanceof Error))
    throw new Error(`no error: ${JSON.stringify(ending)}`);
  return ending.error;
}

/** What comes of a handshake without structured replies. */
function simple(geometry: Geometry): Negotiation {
  return { geometry, structuredReplies: false, contextNames: new Map() };
}

describe("clientHandshake with GO", () => {
  it("asks for the export with name, description and block sizes, and returns what it learns", async () => {
    const driven = await ask(
      wireBytes(
        SIMPLE,
        EXPORT_64M,
        optionReply(GO, INFO, wireBytes("0001", Buffer.from("the disk"))),
        optionReply(GO, INFO, wireBytes("0002", Buffer.from("größte Platte"))),
        optionReply(GO, INFO, "0003 00000200 00001000 00100000"),
        ACKED,
      ),
    );
    expect(driven.ending).toEqual({
      kind: "returned",
      result: simple({
        sizeBytes: 0x4000000,
        flags: 0x0d,
        minimumBlockBytes: 512,
        preferredBlockBytes: 4096,
        maximumPayloadBytes: 0x100000,
        name: "the disk",
        description: "größte Platte",
        contexts: [],
      }),
    });
    expect(driven.sent).toEqual(wireBytes(ASKED, GO_DISK));
    expect(driven.unread).toHaveLength(0);
  });

  it("speaks only after the greeting", async () => {
    const { writtenAfterBytes } = await ask(wireBytes(SIMPLE, EXPORT_64M, ACKED));
    expect(writtenAfterBytes).toEqual([18, 18, 38]);
  });

  it("does not expect zeroes after GO, even from a server that does not offer NO_ZEROES", async () => {
    const driven = await ask(
      wireBytes("4e42444d41474943 49484156454f5054 0001", UNSUP_8, EXPORT_64M, ACKED, "67446698"),
    );
    expect(driven.ending.kind).toBe("returned");
    expect(driven.sent.subarray(0, 4)).toEqual(wireBytes("00000001"));
    expect(driven.unread).toEqual(wireBytes("67446698"));
  });

  it("ignores handshake flags that it does not know", async () => {
    const driven = await ask(wireBytes("4e42444d41474943 49484156454f5054 fffb", UNSUP_8, EXPORT_64M, ACKED));
    expect(driven.sent.subarray(0, 4)).toEqual(wireBytes("00000003"));
    expect(driven.ending.kind).toBe("returned");
  });

  it("sends a name of 4096 bytes, and the empty one", async () => {
    const bytes = wireBytes(SIMPLE, EXPORT_64M, ACKED);
    const long = await ask(bytes, "ä".repeat(2048));
    expect(long.sent.subarray(ASKED.length)).toEqual(
      option(GO, wireBytes("00001000", Buffer.from("ä".repeat(2048)), "0003 0001 0002 0003")),
    );
    const empty = await ask(bytes, "");
    expect(empty.sent.subarray(ASKED.length)).toEqual(option(GO, "00000000 0003 0001 0002 0003"));
  });

  it.each(["a".repeat(4097), "ä".repeat(2049), "nul\0"])(
    "asserts that the name is one of the protocol",
    async (name) => {
      const { ending } = await driveDialogue(clientHandshake({ exportName: name, limits: LIMITS }), []);
      expect(ending).toMatchObject({ kind: "threw", error: { name: "AssertionError" } });
    },
  );

  it("assumes the protocol's block sizes when the server tells none", async () => {
    expect(await geometryAfter(EXPORT_64M, ACKED)).toMatchObject({
      minimumBlockBytes: 1,
      preferredBlockBytes: 4096,
      maximumPayloadBytes: 0x2000000,
      name: "",
      description: "",
    });
  });

  it("skips kinds of information that it does not know, and believes the last of several", async () => {
    const unknown = optionReply(GO, INFO, "ffee 0102030405");
    const second = optionReply(GO, INFO, "0000 0000000000001000 0003");
    expect(await geometryAfter(unknown, EXPORT_64M, second, ACKED)).toMatchObject({ sizeBytes: 0x1000, flags: 3 });
  });

  it("waits for more when the server's words are cut short anywhere", async () => {
    const bytes = wireBytes(SIMPLE, EXPORT_64M, optionReply(GO, INFO, wireBytes("0001", Buffer.from("x"))), ACKED);
    for (let length = 0; length < bytes.length; length++) {
      const dialogue = clientHandshake({ exportName: "disk", limits: LIMITS });
      const { ending } = await driveDialogue(dialogue, [bytes.subarray(0, length)]);
      expect(ending, `after ${length} bytes`).toEqual({ kind: "starved" });
    }
  });

  it.each([
    ["unknown bits", "f001", 0x0001],
    ["DF, which belongs to structured replies", "0081", 0x0001],
    ["RESIZE, which belongs to an extension", "0201", 0x0001],
    ["FAST_ZERO without WRITE_ZEROES", "0801", 0x0001],
    ["nothing else", "0d7f", 0x0d7f],
  ])("drops %s from the transmission flags", async (_, flags, expected) => {
    const fields = optionReply(GO, INFO, `0000 0000000000001000 ${flags}`);
    expect((await geometryAfter(fields, ACKED)).flags).toBe(expected);
  });

  it.each([
    ["none", "00000001 00001000 ffffffff", 1, 4096, 0x2000000],
    ["64 MiB", "00000001 00001000 04000000", 1, 4096, 0x2000000],
    ["no multiple of the minimum", "00010000 00010000 0001ffff", 65536, 65536, 65536],
    ["equal to the minimum", "00000001 00000001 00000001", 1, 1, 1],
    ["below a preferred size of 2 GiB", "00000200 80000000 ffffffff", 512, 0x2000000, 0x2000000],
  ])("makes the block sizes fit each other when the maximum is %s", async (_, sizes, minimum, preferred, maximum) => {
    expect(await geometryAfter(EXPORT_64M, optionReply(GO, INFO, `0003 ${sizes}`), ACKED)).toMatchObject({
      minimumBlockBytes: minimum,
      preferredBlockBytes: preferred,
      maximumPayloadBytes: maximum,
    });
  });

  it.each([
    ["an empty export", "0000000000000000", 0],
    ["the largest safe size", "001fffffffffffff", Number.MAX_SAFE_INTEGER],
    ["a size that is no multiple of the minimum block", "00000000000003e9", 1001],
  ])("accepts %s", async (_, size, sizeBytes) => {
    const blockSizes = optionReply(GO, INFO, "0003 00000200 00001000 00100000");
    const fields = optionReply(GO, INFO, `0000 ${size} 0001`);
    expect((await geometryAfter(fields, blockSizes, ACKED)).sizeBytes).toBe(sizeBytes);
  });

  it.each([
    ["is not UTF-8", "ff fe"],
    ["contains NUL", "61 00 62"],
  ])("takes a description that %s as none", async (_, text) => {
    expect((await geometryAfter(EXPORT_64M, optionReply(GO, INFO, `0002 ${text}`), ACKED)).description).toBe("");
  });
});

describe("clientHandshake with EXPORT_NAME", () => {
  const ANSWER = "0000000004000000 000d";
  const ZEROES = Buffer.alloc(124);
  const EXPORT_NAME = option(1, "6469736b");

  it("falls back when the server does not know GO", async () => {
    const driven = await ask(wireBytes(SIMPLE, UNSUPPORTED, ANSWER, "67446698"));
    expect(driven.ending).toEqual({
      kind: "returned",
      result: simple({
        sizeBytes: 0x4000000,
        flags: 0x0d,
        minimumBlockBytes: 1,
        preferredBlockBytes: 4096,
        maximumPayloadBytes: 0x2000000,
        name: "",
        description: "",
        contexts: [],
      }),
    });
    expect(driven.sent).toEqual(wireBytes(ASKED, GO_DISK, EXPORT_NAME));
    expect(driven.unread).toEqual(wireBytes("67446698"));
  });

  it("skips 124 bytes when the server does not offer NO_ZEROES", async () => {
    const bytes = wireBytes("4e42444d41474943 49484156454f5054 0001", UNSUP_8, UNSUPPORTED, ANSWER, ZEROES, "67446698");
    const driven = await ask(bytes);
    expect(driven.ending.kind).toBe("returned");
    expect(driven.sent).toEqual(wireBytes("00000001", option(8), GO_DISK, EXPORT_NAME));
    expect(driven.unread).toEqual(wireBytes("67446698"));
  });

  it("is all that it says to a server without fixed newstyle", async () => {
    const driven = await ask(wireBytes("4e42444d41474943 49484156454f5054 0000", ANSWER, ZEROES));
    expect(driven.ending.kind).toBe("returned");
    expect(driven.sent).toEqual(wireBytes("00000000", EXPORT_NAME));
    expect(driven.unread).toHaveLength(0);
  });

  it("leaves out the zeroes with a server that offers only that", async () => {
    const driven = await ask(wireBytes("4e42444d41474943 49484156454f5054 0002", ANSWER));
    expect(driven.ending.kind).toBe("returned");
    expect(driven.sent).toEqual(wireBytes("00000002", EXPORT_NAME));
  });

  it.each([
    ["a size of 2^53", "0020000000000000 0001"],
    ["a size of 2^64 - 1", "ffffffffffffffff 0001"],
    ["flags without HAS_FLAGS", "0000000004000000 000c"],
  ])("rejects %s", async (_, answer) => {
    expect(await errorAfter(SIMPLE, UNSUPPORTED, answer)).toBeInstanceOf(ProtocolViolation);
  });
});

describe("clientHandshake with a server that refuses", () => {
  it.each([
    [0x80000002, "NBD_REP_ERR_POLICY"],
    [0x80000003, "NBD_REP_ERR_INVALID"],
    [0x80000004, "NBD_REP_ERR_PLATFORM"],
    [0x80000005, "NBD_REP_ERR_TLS_REQD"],
    [0x80000006, "NBD_REP_ERR_UNKNOWN"],
    [0x80000007, "NBD_REP_ERR_SHUTDOWN"],
    [0x80000008, "NBD_REP_ERR_BLOCK_SIZE_REQD"],
    [0x80000009, "NBD_REP_ERR_TOO_BIG"],
    [0x8000000a, "NBD_REP_ERR_EXT_HEADER_REQD"],
    [0xfffffff0, "reply 0xfffffff0"],
  ])("takes leave and throws HandshakeRefused on reply %d", async (type, name) => {
    const driven = await ask(wireBytes(SIMPLE, EXPORT_64M, optionReply(GO, type, Buffer.from("not for you"))));
    expect(driven.sent).toEqual(wireBytes(ASKED, GO_DISK, option(2)));
    expect(driven.ending.kind).toBe("threw");
    const error = driven.ending.kind === "threw" ? driven.ending.error : undefined;
    expect(error).toBeInstanceOf(HandshakeRefused);
    expect(error).toMatchObject({
      optionReply: type,
      message: `the server refused the export "disk" with ${name}: not for you`,
    });
  });

  it("needs no text from the server", async () => {
    const error = await errorAfter(SIMPLE, optionReply(GO, 0x80000006));
    expect(error.message).toBe('the server refused the export "disk" with NBD_REP_ERR_UNKNOWN');
  });

  it("escapes and shortens the server's text", async () => {
    const text = Buffer.from(`\u001b[31mred\r\n${"x".repeat(5000)}`);
    const { message } = await errorAfter(SIMPLE, optionReply(GO, 0x80000006, text));
    expect(message).toContain("\\u{1b}[31mred\\r\\nxxx");
    expect(message.length).toBeLessThan(300);
    expect(message).not.toMatch(/\p{Cc}/u);
  });

  it("escapes the name that was asked for", async () => {
    const bytes = wireBytes(SIMPLE, optionReply(GO, 0x80000006));
    const { ending } = await ask(bytes, 'a"\n');
    expect(ending.kind === "threw" && String(ending.error)).toContain('export "a\\"\\n" with');
  });
});

describe("clientHandshake with an old-style server", () => {
  const MAGICS = "4e42444d41474943 0000420281861253";
  const HELLO = wireBytes(MAGICS, "0000000004000000 0000 002d", Buffer.alloc(124));

  it("takes its hello for the whole handshake, says nothing, and keeps the hello", async () => {
    const driven = await ask(wireBytes(HELLO, "67446698"), "");
    expect(driven.ending).toEqual({
      kind: "returned",
      result: simple({
        sizeBytes: 0x4000000,
        flags: 0x2d,
        minimumBlockBytes: 1,
        preferredBlockBytes: 4096,
        maximumPayloadBytes: 0x2000000,
        name: "",
        description: "",
        contexts: [],
        oldstyleHello: HELLO,
      }),
    });
    expect(driven.sent).toHaveLength(0);
    expect(driven.unread).toEqual(wireBytes("67446698"));
  });

  it("takes zero flags for a disk that can be read and written, and nothing else", async () => {
    const { ending } = await ask(wireBytes(MAGICS, "0000000000001000 0000 0000", Buffer.alloc(124)), "");
    expect(ending).toMatchObject({ kind: "returned", result: { geometry: { sizeBytes: 4096, flags: 0 } } });
  });

  it("waits for more when the hello is cut short anywhere", async () => {
    for (let length = 0; length < HELLO.length; length += 1) {
      const dialogue = clientHandshake({ exportName: "", limits: LIMITS });
      const { ending } = await driveDialogue(dialogue, [HELLO.subarray(0, length)]);
      expect(ending, `after ${length} bytes`).toEqual({ kind: "starved" });
    }
  });

  it.each(["0020000000000000", "8000000000000000", "ffffffffffffffff"])("rejects a size of 0x%s", async (size) => {
    const { ending } = await ask(wireBytes(MAGICS, size, Buffer.alloc(128)), "");
    expect(ending).toMatchObject({ kind: "threw", error: { name: "ProtocolViolation" } });
  });

  it("can't ask it for an export by name, and says so", async () => {
    const { ending } = await ask(HELLO, 'a"\n');
    const error = ending.kind === "threw" ? ending.error : undefined;
    expect(error).toBeInstanceOf(HandshakeRefused);
    expect(error).toMatchObject({ optionReply: undefined });
    expect(String(error)).toContain(String.raw`the server speaks old style, which knows no export names like "a\"\n"`);
  });
});

describe("clientHandshake with a server that breaks the protocol", () => {
  it.each<readonly [string, ...(string | Buffer)[]]>([
    ["greets with another magic", "5353482d322e302d 4f70656e53534800"],
    ["names an unknown style", "4e42444d41474943 49484156454f5055"],
    ["begins a reply with another magic", SIMPLE, "0003e889045565aa 00000007 00000001 00000000"],
    ["answers another option", SIMPLE, optionReply(6, ACK)],
    ["answers with SERVER", SIMPLE, optionReply(GO, 2, "00000000")],
    ["answers with META_CONTEXT", SIMPLE, optionReply(GO, 4, "00000000")],
    ["answers with an unknown type", SIMPLE, optionReply(GO, 0x7fffffff)],
    ["acknowledges without INFO_EXPORT", SIMPLE, ACKED],
    ["acknowledges with data", SIMPLE, EXPORT_64M, optionReply(GO, ACK, "00")],
    ["sends INFO without data", SIMPLE, optionReply(GO, INFO)],
    ["sends INFO with half a type", SIMPLE, optionReply(GO, INFO, "00")],
    ["sends a short INFO_EXPORT", SIMPLE, optionReply(GO, INFO, "0000 0000000004000000 00")],
    ["sends a long INFO_EXPORT", SIMPLE, optionReply(GO, INFO, "0000 0000000004000000 0001 00")],
    ["sends a short INFO_BLOCK_SIZE", SIMPLE, optionReply(GO, INFO, "0003 00000001 00001000 020000")],
    ["sends a long INFO_BLOCK_SIZE", SIMPLE, optionReply(GO, INFO, "0003 00000001 00001000 02000000 00")],
    ["claims a size of 2^53", SIMPLE, optionReply(GO, INFO, "0000 0020000000000000 0001")],
    ["claims a size of 2^63", SIMPLE, optionReply(GO, INFO, "0000 8000000000000000 0001")],
    ["claims a size of 2^64 - 1", SIMPLE, optionReply(GO, INFO, "0000 ffffffffffffffff 0001")],
    ["sends flags without HAS_FLAGS", SIMPLE, optionReply(GO, INFO, "0000 0000000004000000 0000")],
    ["has a minimum block of 0", SIMPLE, optionReply(GO, INFO, "0003 00000000 00001000 02000000")],
    ["has a minimum block of 3", SIMPLE, optionReply(GO, INFO, "0003 00000003 00001000 02000000")],
    ["has a minimum block of 128 KiB", SIMPLE, optionReply(GO, INFO, "0003 00020000 00020000 02000000")],
    ["prefers less than the minimum", SIMPLE, optionReply(GO, INFO, "0003 00001000 00000200 02000000")],
    ["prefers 0", SIMPLE, optionReply(GO, INFO, "0003 00000001 00000000 02000000")],
    ["prefers 5000", SIMPLE, optionReply(GO, INFO, "0003 00000001 00001388 02000000")],
    ["prefers more than the maximum", SIMPLE, optionReply(GO, INFO, "0003 00000001 00001000 00000200")],
    ["has a maximum of 0", SIMPLE, optionReply(GO, INFO, "0003 00000001 00001000 00000000")],
    ["sends a name of 4097 bytes", SIMPLE, optionReply(GO, INFO, wireBytes("0001", Buffer.alloc(4097, 0x61)))],
  ])("hangs up when it %s", async (_, ...bytes) => {
    expect(await errorAfter(...bytes)).toBeInstanceOf(ProtocolViolation);
  });

  it("rejects a reply that claims too much before reading it", async () => {
    for (const length of [6001, 0x80000000, 0xffffffff]) {
      const header = wireBytes("0003e889045565a9 00000007 00000003", u32(length));
      const { ending, longestReadBytes } = await ask(wireBytes(SIMPLE, header));
      expect(ending).toMatchObject({ kind: "threw", error: { name: "ProtocolViolation" } });
      expect(longestReadBytes).toBe(20);
    }
  });

  it("accepts a reply that is as long as the limit, and as many replies as allowed", async () => {
    const unknown = optionReply(GO, INFO, Buffer.alloc(6000, 0xee));
    expect((await geometryAfter(unknown, EXPORT_64M, ACKED)).sizeBytes).toBe(0x4000000);
    expect((await geometryAfter(...Array<Buffer>(7).fill(EXPORT_64M), ACKED)).sizeBytes).toBe(0x4000000);
  });

  it("hangs up on endless replies", async () => {
    const { ending, unread } = await ask(wireBytes(SIMPLE, ...Array<Buffer>(9).fill(EXPORT_64M)));
    expect(ending).toMatchObject({ kind: "threw", error: { name: "ProtocolViolation" } });
    expect(unread).toEqual(EXPORT_64M);
  });
});
