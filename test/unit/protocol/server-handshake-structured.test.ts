import { describe, expect, it, vi } from "vitest";

import type { Agreement } from "../../../src/protocol/agreement.ts";
import type { Geometry } from "../../../src/protocol/geometry.ts";
import { serverHandshake } from "../../../src/protocol/server-handshake.ts";
import { geometry } from "../support/held-disk.ts";
import { type Driven, driveDialogue, driveEveryWay } from "./support/drive-dialogue.ts";
import { GREETING, option, optionReply, u32, wireBytes } from "./support/wire-bytes.ts";

const LIMITS = { optionBytes: 5000, optionSkipBytes: 8000, options: 12, contextQueries: 3 };

const EXPORT_NAME = 1;
const ABORT = 2;
const INFO = 6;
const GO = 7;
const STRUCTURED_REPLY = 8;
const LIST = 9;
const SET = 10;
const ACK = 1;
const META_CONTEXT = 4;
const ERR_INVALID = 0x80000003;
const ERR_UNKNOWN = 0x80000006;
const ERR_TOO_BIG = 0x80000009;

interface Opened {
  readonly geometry: Geometry;
}

const CONTEXTS = ["base:allocation", "qemu:dirty-bitmap:a", "qemu:dirty-bitmap:b", "x-name:é"];
const DISK: Opened = { geometry: geometry({ sizeBytes: 4096, flags: 0x0d, contexts: CONTEXTS }) };
const NAMED = new Map([
  ["disk", DISK],
  ["other", { geometry: geometry({ contexts: ["base:allocation"] }) }],
  ["none", { geometry: geometry() }],
]);
const EXPORTS = { list: async () => [], open: async (name: string) => NAMED.get(name) };

const FLAGS = "00000003";
const STRUCTURED = wireBytes(FLAGS, option(STRUCTURED_REPLY));
const ACKED = optionReply(STRUCTURED_REPLY, ACK);
const EXPORT_INFO = (flags: string): string => `0000 0000000000001000 ${flags}`;

function serve(...parts: readonly (string | Buffer)[]): Promise<Driven<Agreement<Opened> | undefined>> {
  return driveEveryWay(() => serverHandshake({ exports: EXPORTS, limits: LIMITS }), wireBytes(...parts));
}

/** What the server sends after its greeting. */
function answers({ sent }: Driven<unknown>): Buffer {
  expect(sent.subarray(0, 18)).toEqual(wireBytes(GREETING));
  return sent.subarray(18);
}

/** Which replies came after the greeting: option and type of each, in hexadecimal. */
function replyTypes(driven: Driven<unknown>): string[] {
  const types: string[] = [];
  for (let rest = answers(driven); rest.length > 0; rest = rest.subarray(20 + rest.readUInt32BE(16))) {
    types.push(`${rest.readUInt32BE(8)}:${rest.readUInt32BE(12).toString(16)}`);
  }
  return types;
}

/** The data of LIST or SET. */
function query(name: string, ...queries: readonly string[]): Buffer {
  const strings = queries.map((text) => Buffer.concat([u32(Buffer.byteLength(text)), Buffer.from(text)]));
  return wireBytes(u32(name.length), Buffer.from(name), u32(queries.length), ...strings);
}

function context(to: number, id: number, name: string): Buffer {
  return optionReply(to, META_CONTEXT, Buffer.concat([u32(id), Buffer.from(name)]));
}

const go = (name = "disk"): Buffer => option(GO, wireBytes(u32(name.length), Buffer.from(name), "0000"));

/** The contexts that are agreed on after these options. */
async function agreedAfter(...options: readonly Buffer[]): Promise<readonly (readonly [number, string])[]> {
  const { ending } = await serve(STRUCTURED, ...options);
  if (ending.kind !== "returned") throw new Error(`no agreement: ${JSON.stringify(ending)}`, { cause: ending });
  return (ending.result?.contexts ?? []).map(({ id, name }) => [id, name] as const);
}

describe("serverHandshake, asked with STRUCTURED_REPLY", () => {
  it("agrees, shows DF, and returns that structured replies are wanted", async () => {
    const driven = await serve(STRUCTURED, go(), "25609513");
    expect(driven.ending).toEqual({
      kind: "returned",
      result: { opened: DISK, structuredReplies: true, contexts: [] },
    });
    expect(answers(driven)).toEqual(wireBytes(ACKED, optionReply(GO, 3, EXPORT_INFO("008d")), optionReply(GO, ACK)));
    expect(driven.unread).toEqual(wireBytes("25609513"));
  });

  it("agrees again when it is asked again", async () => {
    const driven = await serve(STRUCTURED, option(STRUCTURED_REPLY), go());
    expect(replyTypes(driven)).toEqual(["8:1", "8:1", "7:3", "7:1"]);
    expect(driven.ending).toMatchObject({ result: { structuredReplies: true } });
  });

  it("answers ERR_INVALID to data, and does not count it as asked", async () => {
    const driven = await serve(FLAGS, option(STRUCTURED_REPLY, "00"), go());
    const refusal = optionReply(STRUCTURED_REPLY, ERR_INVALID, Buffer.from("STRUCTURED_REPLY takes no data"));
    expect(answers(driven)).toEqual(wireBytes(refusal, optionReply(GO, 3, EXPORT_INFO("000d")), optionReply(GO, ACK)));
    expect(driven.ending).toMatchObject({ result: { structuredReplies: false } });
  });

  it("keeps what was agreed before when it is asked again with data", async () => {
    const driven = await serve(STRUCTURED, option(STRUCTURED_REPLY, "00"), go());
    expect(driven.ending).toMatchObject({ result: { structuredReplies: true } });
  });

  it("holds for EXPORT_NAME as well, with DF and contexts", async () => {
    const set = option(SET, query("disk", "base:allocation"));
    const driven = await serve(STRUCTURED, set, option(EXPORT_NAME, Buffer.from("disk")));
    expect(driven.sent.subarray(-10)).toEqual(wireBytes("0000000000001000 008d"));
    expect(driven.ending).toEqual({
      kind: "returned",
      result: { opened: DISK, structuredReplies: true, contexts: [{ id: 1, name: "base:allocation" }] },
    });
  });

  it.each([GO, INFO])(
    "hides DF of the server behind from a client without structured replies, option %d",
    async (to) => {
      const open = async () => ({ geometry: geometry({ sizeBytes: 4096, flags: 0xff }) });
      const said = wireBytes(FLAGS, option(to, "00000000 0000"));
      const { sent } = await driveDialogue(serverHandshake({ exports: { ...EXPORTS, open }, limits: LIMITS }), [said]);
      expect(sent.subarray(18)).toEqual(wireBytes(optionReply(to, 3, EXPORT_INFO("007f")), optionReply(to, ACK)));
    },
  );
});

describe("serverHandshake, asked with LIST_META_CONTEXT", () => {
  it.each<readonly [string, readonly string[], readonly string[]]>([
    ["nothing in particular", [], CONTEXTS],
    ["one name", ["base:allocation"], ["base:allocation"]],
    ["a whole namespace", ["base:"], ["base:allocation"]],
    ["the beginning of a leaf", ["qemu:dirty-bitmap:"], ["qemu:dirty-bitmap:a", "qemu:dirty-bitmap:b"]],
    ["a namespace and a part of it", ["qemu:dirty-bitmap:b", "qemu:"], ["qemu:dirty-bitmap:a", "qemu:dirty-bitmap:b"]],
    ["half a name", ["base:alloc", "qemu:dirty", "base"], []],
    ["an unknown namespace", ["x-foo:", "x-foo:bar"], []],
    ["what is no query at all", ["", ":"], []],
    ["the same twice", ["x-name:é", "x-name:é"], ["x-name:é"]],
  ])("lists what there is of %s, each once, with id 0, and goes on", async (_, queries, names) => {
    const driven = await serve(STRUCTURED, option(LIST, query("disk", ...queries)), option(ABORT));
    const listed = names.map((name) => context(LIST, 0, name));
    expect(answers(driven)).toEqual(wireBytes(ACKED, ...listed, optionReply(LIST, ACK), optionReply(ABORT, ACK)));
  });

  it("lists nothing of an export without contexts", async () => {
    const driven = await serve(STRUCTURED, option(LIST, query("none")), option(LIST, query("none", "base:")));
    expect(replyTypes(driven)).toEqual(["8:1", "9:1", "9:1"]);
  });

  it("selects nothing, and leaves alone what is selected", async () => {
    expect(await agreedAfter(option(LIST, query("disk")), go())).toEqual([]);
    const set = option(SET, query("disk", "x-name:é"));
    expect(await agreedAfter(set, option(LIST, query("disk")), go())).toEqual([[1, "x-name:é"]]);
  });
});

describe("serverHandshake, asked with SET_META_CONTEXT", () => {
  it("selects by exact name, each under an id of its own that is not 0", async () => {
    const asked = query("disk", "x-name:é", "base:allocation", "x-name:é");
    const driven = await serve(STRUCTURED, option(SET, asked), go());
    const told = [context(SET, 1, "base:allocation"), context(SET, 2, "x-name:é"), optionReply(SET, ACK)];
    expect(answers(driven).subarray(ACKED.length)).toEqual(
      wireBytes(...told, optionReply(GO, 3, EXPORT_INFO("008d")), optionReply(GO, ACK)),
    );
    expect(driven.ending).toMatchObject({
      result: {
        contexts: [
          { id: 1, name: "base:allocation" },
          { id: 2, name: "x-name:é" },
        ],
      },
    });
  });

  it.each(["base:", "qemu:dirty-bitmap:", "base:alloc", "x-foo:bar", "", "base:allocation "])(
    "selects nothing for %j, and acknowledges",
    async (name) => {
      const driven = await serve(STRUCTURED, option(SET, query("disk", name)), go());
      expect(replyTypes(driven)).toEqual(["8:1", "10:1", "7:3", "7:1"]);
      expect(driven.ending).toMatchObject({ result: { contexts: [] } });
    },
  );

  it("selects for the export of that very name alone", async () => {
    const set = option(SET, query("disk", "base:allocation"));
    expect(await agreedAfter(set, go())).toEqual([[1, "base:allocation"]]);
    expect(await agreedAfter(set, go("other"))).toEqual([]);
    expect(await agreedAfter(set, option(EXPORT_NAME, Buffer.from("other")))).toEqual([]);
    // Having asked for another export in vain changes nothing.
    expect(await agreedAfter(set, go("no such export"), go())).toEqual([[1, "base:allocation"]]);
  });

  it.each<readonly [string, Buffer]>([
    ["one for another context", option(SET, query("disk", "x-name:é"))],
    ["one for another export", option(SET, query("other", "base:allocation"))],
    ["one for none", option(SET, query("disk"))],
    ["one for an unknown export", option(SET, query("no such export", "base:allocation"))],
    ["a malformed one", option(SET, "00")],
    ["one with too many queries", option(SET, query("disk", "a:", "b:", "c:", "d:"))],
    ["one that is too long to be read", option(SET, Buffer.alloc(5001))],
  ])("takes back what was selected before with the next one: %s", async (_, next) => {
    const before = option(SET, query("disk", "base:allocation"));
    const agreed = await agreedAfter(before, next, go());
    expect(agreed.map(([, name]) => name)).not.toContain("base:allocation");
  });

  it("hangs up on EXPORT_NAME, and refuses GO, when a selected context is gone by then", async () => {
    const set = option(SET, query("disk", "base:allocation", "x-name:é"));
    for (const [asked, told] of [
      [go(), optionReply(GO, ERR_INVALID, Buffer.from("a selected metadata context is gone"))],
      [option(EXPORT_NAME, Buffer.from("disk")), Buffer.alloc(0)],
    ] as const) {
      let opened = 0;
      const open = async () => ({ geometry: geometry({ contexts: CONTEXTS.slice(0, opened++ === 0 ? 4 : 1) }) });
      const dialogue = serverHandshake({ exports: { ...EXPORTS, open }, limits: LIMITS });
      const { ending, sent } = await driveDialogue(dialogue, [wireBytes(STRUCTURED, set, asked)]);
      if (told.length > 0) expect(ending).toEqual({ kind: "starved" });
      else expect(ending).toMatchObject({ kind: "threw", error: { name: "HandshakeRefused" } });
      expect(sent.subarray(sent.length - told.length)).toEqual(told);
    }
  });
});

describe.each([
  ["LIST_META_CONTEXT", LIST],
  ["SET_META_CONTEXT", SET],
])("serverHandshake, asked with a %s that it can't serve", (_name, number) => {
  it("answers ERR_INVALID to a client without structured replies, whatever the data, and stays", async () => {
    for (const data of [query("disk", "base:allocation"), "", "ffffffff"]) {
      const driven = await serve(FLAGS, option(number, data), go());
      const refusal = optionReply(number, ERR_INVALID, Buffer.from("this needs structured replies"));
      expect(answers(driven).subarray(0, refusal.length)).toEqual(refusal);
      expect(driven.ending).toEqual({
        kind: "returned",
        result: { opened: DISK, structuredReplies: false, contexts: [] },
      });
    }
  });

  it("answers ERR_UNKNOWN to an unknown export and stays", async () => {
    const driven = await serve(STRUCTURED, option(number, query("Disk")), option(ABORT));
    const refusal = optionReply(number, ERR_UNKNOWN, Buffer.from('there is no export "Disk"'));
    expect(answers(driven)).toEqual(wireBytes(ACKED, refusal, optionReply(ABORT, ACK)));
  });

  it("answers ERR_TOO_BIG to more queries than it reads, and takes as many as it does", async () => {
    const open = vi.fn(EXPORTS.open);
    const three = option(number, query("disk", "a:b", "c:d", "e:f"));
    const four = option(number, query("disk", "a:b", "c:d", "e:f", "g:h"));
    const said = wireBytes(STRUCTURED, three, four, option(ABORT));
    const dialogue = () => serverHandshake({ exports: { ...EXPORTS, open }, limits: LIMITS });
    const driven = await driveDialogue(dialogue(), [said]);
    const refusal = optionReply(number, ERR_TOO_BIG, Buffer.from("more than 3 queries"));
    expect(answers(driven)).toEqual(wireBytes(ACKED, optionReply(number, ACK), refusal, optionReply(ABORT, ACK)));
    expect(open).toHaveBeenCalledTimes(1);
  });

  it.each<readonly [string, string | Buffer]>([
    ["no data", ""],
    ["half a length", "000000"],
    ["no count", "00000004 6469736b"],
    ["half a count", "00000004 6469736b 000000"],
    ["a name longer than the option", "00000005 6469736b"],
    ["a name of 0xffffffff bytes", "ffffffff 6469736b 00000000"],
    ["a name of 2^31 bytes", "80000000 6469736b 00000000"],
    ["a name of 4097 bytes", wireBytes("00001001", Buffer.alloc(4097, 0x61), "00000000")],
    ["a name with NUL", "00000003 610062 00000000"],
    ["a name that is not UTF-8", "00000002 c328 00000000"],
    ["fewer queries than counted", "00000004 6469736b 00000002 00000005 626173653a"],
    ["2^32 - 1 queries", "00000004 6469736b ffffffff 00000005 626173653a"],
    ["more behind its queries", "00000004 6469736b 00000001 00000005 626173653a 00"],
    ["more behind no queries", "00000004 6469736b 00000000 00000000"],
    ["half the length of a query", "00000004 6469736b 00000001 0000"],
    ["a query longer than the option", "00000004 6469736b 00000001 00000006 626173653a"],
    ["a query of 0xffffffff bytes", "00000004 6469736b 00000001 ffffffff 626173653a"],
    ["a query of 4097 bytes", wireBytes("00000004 6469736b 00000001 00001001", Buffer.alloc(4097, 0x61))],
    ["a query with NUL", "00000004 6469736b 00000001 00000003 610062"],
    ["a query that is not UTF-8", "00000004 6469736b 00000001 00000002 c328"],
  ])("answers ERR_INVALID to %s and stays", async (_, data) => {
    const driven = await serve(STRUCTURED, option(number, data), option(ABORT));
    const refusal = optionReply(number, ERR_INVALID, Buffer.from("the option's data is malformed"));
    expect(answers(driven)).toEqual(wireBytes(ACKED, refusal, optionReply(ABORT, ACK)));
    expect(driven.ending).toEqual({ kind: "returned", result: undefined });
  });

  it("waits for more when the client's words are cut short anywhere", async () => {
    const bytes = wireBytes(STRUCTURED, option(number, query("disk", "base:", "x-name:é")), go());
    for (let length = 0; length < bytes.length; length += 1) {
      const dialogue = serverHandshake({ exports: EXPORTS, limits: LIMITS });
      const { ending } = await driveDialogue(dialogue, [bytes.subarray(0, length)]);
      expect(ending, `after ${length} bytes`).toEqual({ kind: "starved" });
    }
  });
});

describe("serverHandshake, with blocks larger than a client may assume", () => {
  const LARGE = { geometry: geometry({ sizeBytes: 4096, flags: 0x0d, minimumBlockBytes: 1024 }) };
  const BLOCKS = "0003 00000400 00001000 02000000";

  async function told(disk: Opened, ...options: readonly Buffer[]) {
    const exports = { list: async () => [], open: async () => disk };
    return driveDialogue(serverHandshake({ exports, limits: LIMITS }), [wireBytes(FLAGS, ...options)]);
  }

  it("insists in its answer to INFO that they are asked for, and tells them at once", async () => {
    const driven = await told(LARGE, option(INFO, "00000000 0000"), option(ABORT));
    expect(answers(driven)).toEqual(
      wireBytes(
        optionReply(INFO, 3, EXPORT_INFO("000d")),
        optionReply(INFO, 3, BLOCKS),
        optionReply(INFO, 0x80000008, Buffer.from("ask for INFO_BLOCK_SIZE, and keep to it")),
        optionReply(ABORT, ACK),
      ),
    );
  });

  it("is content with an INFO that asks for them", async () => {
    const driven = await told(LARGE, option(INFO, "00000000 0001 0003"), option(ABORT));
    expect(replyTypes(driven)).toEqual(["6:3", "6:3", "6:1", "2:1"]);
  });

  it("lets GO and EXPORT_NAME pass: there are clients that never ask", async () => {
    const driven = await told(LARGE, go());
    expect(replyTypes(driven)).toEqual(["7:3", "7:1"]);
    expect((await told(LARGE, option(EXPORT_NAME))).ending).toMatchObject({ kind: "returned" });
  });

  it("is content with everybody when they are what a client assumes", async () => {
    const small = { geometry: geometry({ sizeBytes: 4096, minimumBlockBytes: 512 }) };
    expect(replyTypes(await told(small, option(INFO, "00000000 0000")))).toEqual(["6:3", "6:1"]);
  });
});
