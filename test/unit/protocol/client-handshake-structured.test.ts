import { describe, expect, it } from "vitest";

import { clientHandshake, type Negotiation } from "../../../src/protocol/client-handshake.ts";
import { ProtocolViolation } from "../../../src/protocol/protocol-violation.ts";
import { type Driven, driveDialogue, driveEveryWay } from "./support/drive-dialogue.ts";
import { GREETING, option, optionReply, u32, wireBytes } from "./support/wire-bytes.ts";

const LIMITS = { optionReplies: 8, optionReplyBytes: 6000, contexts: 3 };

const GO = 7;
const STRUCTURED_REPLY = 8;
const LIST = 9;
const SET = 10;
const ACK = 1;
const META_CONTEXT = 4;

const DISK = "00000004 6469736b";
const ASKED = wireBytes("00000003", option(STRUCTURED_REPLY));
const LISTED = option(LIST, `${DISK} 00000000`);
const GONE = option(GO, `${DISK} 0003 0001 0002 0003`);
/** An export with all the flags that there are, and the end of the handshake. */
const LET_IN = wireBytes(optionReply(GO, 3, "0000 0000000000001000 ffff"), optionReply(GO, ACK));
const STRUCTURED = wireBytes(GREETING, optionReply(STRUCTURED_REPLY, ACK));

const ERRORS = [
  ["ERR_UNSUP", 0x80000001],
  ["ERR_POLICY", 0x80000002],
  ["ERR_INVALID", 0x80000003],
  ["ERR_TLS_REQD", 0x80000005],
  ["ERR_UNKNOWN", 0x80000006],
  ["ERR_SHUTDOWN", 0x80000007],
  ["ERR_TOO_BIG", 0x80000009],
  ["an error that nobody knows", 0xfffffff0],
] as const;

function context(to: number, id: number, name: string | Buffer): Buffer {
  return optionReply(to, META_CONTEXT, Buffer.concat([u32(id), Buffer.from(name)]));
}

/** What a server says to LIST that has these contexts. */
function lists(...names: readonly (string | Buffer)[]): Buffer {
  return Buffer.concat([...names.map((name) => context(LIST, 0, name)), optionReply(LIST, ACK)]);
}

/** What a server says to SET that selects these. */
function selects(...contexts: readonly (readonly [id: number, name: string])[]): Buffer {
  return Buffer.concat([...contexts.map(([id, name]) => context(SET, id, name)), optionReply(SET, ACK)]);
}

function set(...names: readonly string[]): Buffer {
  const queries = names.map((name) => Buffer.concat([u32(Buffer.byteLength(name)), Buffer.from(name)]));
  return option(SET, wireBytes(DISK, u32(names.length), ...queries));
}

function ask(...parts: readonly (string | Buffer)[]): Promise<Driven<Negotiation>> {
  return driveEveryWay(() => clientHandshake({ exportName: "disk", limits: LIMITS }), wireBytes(...parts));
}

function result({ ending }: Driven<Negotiation>): Negotiation {
  if (ending.kind !== "returned") throw new Error(`no agreement: ${JSON.stringify(ending)}`, { cause: ending });
  return ending.result;
}

describe("clientHandshake, asking for structured replies", () => {
  it("asks first of all, lists the contexts, selects what there is, and goes", async () => {
    const driven = await ask(
      STRUCTURED,
      lists("qemu:dirty-bitmap:a", "base:allocation"),
      selects([7, "qemu:dirty-bitmap:a"], [0xffffffff, "base:allocation"]),
      LET_IN,
      "668e33ef",
    );
    const { geometry, structuredReplies, contextNames } = result(driven);
    expect(structuredReplies).toBe(true);
    expect(geometry).toMatchObject({ sizeBytes: 4096, contexts: ["base:allocation", "qemu:dirty-bitmap:a"] });
    expect([...contextNames]).toEqual([
      [0xffffffff, "base:allocation"],
      [7, "qemu:dirty-bitmap:a"],
    ]);
    expect(driven.sent).toEqual(wireBytes(ASKED, LISTED, set("base:allocation", "qemu:dirty-bitmap:a"), GONE));
    expect(driven.unread).toEqual(wireBytes("668e33ef"));
  });

  it("never sends an option before the one before it is answered", async () => {
    const parts = [STRUCTURED, lists("base:allocation"), selects([1, "base:allocation"]), LET_IN];
    const { writtenAfterBytes } = await ask(...parts);
    const ends = parts.map((_, index) => Buffer.concat(parts.slice(0, index + 1)).length);
    expect(writtenAfterBytes).toEqual([18, 18, ...ends.slice(0, 3)]);
  });

  it("keeps DF of an export with structured replies, and only of one", async () => {
    const structured = await ask(STRUCTURED, lists(), LET_IN);
    expect(result(structured).geometry.flags).toBe(0x0dff);
    const simple = await ask(GREETING, optionReply(STRUCTURED_REPLY, 0x80000001), LET_IN);
    expect(result(simple).geometry.flags).toBe(0x0d7f);
  });

  it.each(ERRORS)(
    "is content with simple replies after %s, and asks for nothing that needs others",
    async (_, type) => {
      const driven = await ask(GREETING, optionReply(STRUCTURED_REPLY, type, Buffer.from("no such thing")), LET_IN);
      const { geometry, structuredReplies, contextNames } = result(driven);
      expect([structuredReplies, contextNames.size, geometry.contexts]).toEqual([false, 0, []]);
      expect(driven.sent).toEqual(wireBytes(ASKED, GONE));
    },
  );

  it("keeps what was negotiated when it falls back to EXPORT_NAME", async () => {
    const driven = await ask(
      STRUCTURED,
      lists("base:allocation"),
      selects([1, "base:allocation"]),
      optionReply(GO, 0x80000001),
      "0000000000001000 ffff",
    );
    const { geometry, structuredReplies, contextNames } = result(driven);
    expect(driven.sent.subarray(-20)).toEqual(option(1, "6469736b"));
    expect([structuredReplies, geometry.flags, geometry.contexts]).toEqual([true, 0x0dff, ["base:allocation"]]);
    expect([...contextNames]).toEqual([[1, "base:allocation"]]);
  });

  it.each(["0000", "0002"])("asks nothing of a server without fixed newstyle, flags %s", async (flags) => {
    const padding = flags === "0000" ? Buffer.alloc(124) : "";
    const driven = await ask(`4e42444d41474943 49484156454f5054 ${flags}`, "0000000000001000 ffff", padding);
    const { geometry, structuredReplies, contextNames } = result(driven);
    expect(driven.sent).toEqual(wireBytes(`0000${flags}`, option(1, "6469736b")));
    expect([structuredReplies, contextNames.size, geometry.flags]).toEqual([false, 0, 0x0d7f]);
  });

  it("waits for more when the server's words are cut short anywhere", async () => {
    const bytes = wireBytes(STRUCTURED, lists("base:allocation"), selects([1, "base:allocation"]), LET_IN);
    for (let length = 0; length < bytes.length; length += 1) {
      const dialogue = clientHandshake({ exportName: "disk", limits: LIMITS });
      const { ending } = await driveDialogue(dialogue, [bytes.subarray(0, length)]);
      expect(ending, `after ${length} bytes`).toEqual({ kind: "starved" });
    }
  });
});

describe("clientHandshake, choosing contexts", () => {
  it.each(ERRORS)("does without when LIST is answered with %s, even behind some of them", async (_, type) => {
    const driven = await ask(STRUCTURED, context(LIST, 0, "base:allocation"), optionReply(LIST, type), LET_IN);
    expect(result(driven)).toMatchObject({ structuredReplies: true, geometry: { contexts: [] } });
    expect(driven.sent).toEqual(wireBytes(ASKED, LISTED, GONE));
  });

  it.each(ERRORS)("does without when SET is answered with %s, even behind some of them", async (_, type) => {
    const selected = context(SET, 1, "base:allocation");
    const driven = await ask(STRUCTURED, lists("base:allocation"), selected, optionReply(SET, type), LET_IN);
    const { contextNames, geometry, structuredReplies } = result(driven);
    expect([structuredReplies, contextNames.size, geometry.contexts]).toEqual([true, 0, []]);
  });

  it("selects nothing of a server that has nothing", async () => {
    const driven = await ask(STRUCTURED, lists(), LET_IN);
    expect(result(driven).geometry.contexts).toEqual([]);
    expect(driven.sent).toEqual(wireBytes(ASKED, LISTED, GONE));
  });

  it("selects no more than it may, base:allocation first though it is listed last", async () => {
    const driven = await ask(
      STRUCTURED,
      lists("x-a:1", "x-a:2", "x-a:3", "x-a:4", "base:allocation"),
      selects([1, "x-a:1"], [2, "x-a:2"], [3, "base:allocation"]),
      LET_IN,
    );
    expect(driven.sent.includes(set("base:allocation", "x-a:1", "x-a:2"))).toBe(true);
    expect(result(driven).geometry.contexts).toEqual(["base:allocation", "x-a:1", "x-a:2"]);
  });

  it("asks for a context that is listed twice once", async () => {
    const names = ["x-a:1", "base:allocation", "x-a:1", "base:allocation"];
    const driven = await ask(STRUCTURED, lists(...names), selects(), LET_IN);
    expect(driven.sent).toEqual(wireBytes(ASKED, LISTED, set("base:allocation", "x-a:1"), GONE));
  });

  it("asks for nothing that is no name: no text, nothing at all, a query for many", async () => {
    const names = [
      "",
      ":",
      ":leaf",
      "nocolon",
      "x-wild:",
      "x-wild:a:",
      wireBytes("782d613a00"),
      wireBytes("782d613aff"),
    ];
    const some = await ask(STRUCTURED, lists(...names.slice(0, 4), "x-a:ä\n"), selects(), LET_IN);
    expect(some.sent).toEqual(wireBytes(ASKED, LISTED, set("x-a:ä\n"), GONE));
    const none = await ask(STRUCTURED, lists(...names.slice(4)), LET_IN);
    expect(none.sent).toEqual(wireBytes(ASKED, LISTED, GONE));
  });

  it("asks for a name of 4096 bytes", async () => {
    const name = `x-a:${"n".repeat(4092)}`;
    const driven = await ask(STRUCTURED, lists(name), selects([1, name]), LET_IN);
    expect(result(driven).geometry.contexts).toEqual([name]);
  });

  it("does not mind the ids in a list, nor a server that selects less than it lists", async () => {
    const listed = [context(LIST, 5, "base:allocation"), context(LIST, 5, "x-a:1"), optionReply(LIST, ACK)];
    const driven = await ask(STRUCTURED, ...listed, selects([0, "x-a:1"]), LET_IN);
    expect(result(driven)).toMatchObject({ geometry: { contexts: ["x-a:1"] } });
    expect([...result(driven).contextNames]).toEqual([[0, "x-a:1"]]);
  });
});

describe("clientHandshake with a server that breaks the protocol before GO", () => {
  const TWO = lists("base:allocation", "x-a:1");

  it.each<readonly [string, ...(string | Buffer)[]]>([
    ["acknowledges STRUCTURED_REPLY with data", GREETING, optionReply(STRUCTURED_REPLY, ACK, "00")],
    ["answers STRUCTURED_REPLY with INFO", GREETING, optionReply(STRUCTURED_REPLY, 3, "0000")],
    ["answers STRUCTURED_REPLY with an unknown type", GREETING, optionReply(STRUCTURED_REPLY, 0x7fffffff)],
    ["answers GO when it was asked for STRUCTURED_REPLY", GREETING, LET_IN],
    ["answers STRUCTURED_REPLY twice", STRUCTURED, optionReply(STRUCTURED_REPLY, ACK)],
    ["acknowledges LIST with data", STRUCTURED, optionReply(LIST, ACK, "00000000")],
    ["answers LIST with SERVER", STRUCTURED, optionReply(LIST, 2, "00000000")],
    ["answers LIST with an unknown type", STRUCTURED, optionReply(LIST, 0)],
    ["answers SET when it was asked for LIST", STRUCTURED, selects([1, "base:allocation"])],
    ["lists a context without an id", STRUCTURED, optionReply(LIST, META_CONTEXT, "000000")],
    ["lists a context of no bytes", STRUCTURED, optionReply(LIST, META_CONTEXT)],
    ["lists a name of 4097 bytes", STRUCTURED, context(LIST, 0, `x-a:${"n".repeat(4093)}`)],
    ["selects a context that it was not asked for", STRUCTURED, TWO, context(SET, 1, "x-a:2")],
    ["selects a context whose name is no text", STRUCTURED, TWO, context(SET, 1, wireBytes("ff"))],
    ["selects a context without a name", STRUCTURED, TWO, context(SET, 1, "")],
    ["selects a context twice", STRUCTURED, TWO, context(SET, 1, "x-a:1"), context(SET, 2, "x-a:1")],
    ["gives two contexts one id", STRUCTURED, TWO, context(SET, 1, "x-a:1"), context(SET, 1, "base:allocation")],
    ["selects a context without an id", STRUCTURED, TWO, optionReply(SET, META_CONTEXT, "0000")],
    ["acknowledges SET with data", STRUCTURED, TWO, optionReply(SET, ACK, "00")],
    ["answers SET with INFO", STRUCTURED, TWO, optionReply(SET, 3, "0000")],
    ["answers LIST when it was asked for SET", STRUCTURED, TWO, TWO],
  ])("hangs up when it %s", async (_, ...bytes) => {
    const { ending } = await ask(...bytes);
    expect(ending.kind === "threw" && ending.error).toBeInstanceOf(ProtocolViolation);
  });

  it("escapes what it says of a context that nobody asked for", async () => {
    const { ending } = await ask(STRUCTURED, TWO, context(SET, 1, `\u001b[2J\n${"n".repeat(4000)}`));
    const text = ending.kind === "threw" ? String(ending.error) : "";
    expect(text).toContain("\\u{1b}[2J\\nnnn");
    expect(text).not.toMatch(/\p{Cc}/u);
    expect(text.length).toBeLessThan(300);
  });

  it("hangs up on a list without an end", async () => {
    const endless = Array.from({ length: 9 }, (_, index) => context(LIST, 0, `x-a:${index}`));
    const { ending, unread } = await ask(STRUCTURED, ...endless);
    expect(ending).toMatchObject({ kind: "threw", error: { name: "ProtocolViolation" } });
    expect(unread).toEqual(endless[8]);
  });

  it("takes as many replies as allowed", async () => {
    const names = Array.from({ length: 7 }, (_, index) => `x-a:${index}`);
    const driven = await ask(STRUCTURED, lists(...names), selects([1, "x-a:0"]), LET_IN);
    expect(result(driven).geometry.contexts).toEqual(["x-a:0"]);
  });

  it.each([STRUCTURED_REPLY, LIST, SET])("rejects a reply to option %d that claims too much unread", async (to) => {
    const before = { [STRUCTURED_REPLY]: GREETING, [LIST]: STRUCTURED, [SET]: wireBytes(STRUCTURED, TWO) }[to] ?? "";
    for (const length of [6001, 0x80000000, 0xffffffff]) {
      const { ending, longestReadBytes } = await ask(before, "0003e889045565a9", u32(to), u32(4), u32(length));
      expect(ending).toMatchObject({ kind: "threw", error: { name: "ProtocolViolation" } });
      expect(longestReadBytes).toBeLessThanOrEqual(20);
    }
  });
});
