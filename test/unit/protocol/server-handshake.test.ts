import { describe, expect, it, vi } from "vitest";

import type { Agreement } from "../../../src/protocol/agreement.ts";
import type { Geometry } from "../../../src/protocol/geometry.ts";
import { HandshakeRefused } from "../../../src/protocol/handshake-refused.ts";
import { ProtocolViolation } from "../../../src/protocol/protocol-violation.ts";
import { serverHandshake } from "../../../src/protocol/server-handshake.ts";
import { type Driven, driveDialogue, driveEveryWay } from "./support/drive-dialogue.ts";
import { GREETING, option, optionReply, u32, wireBytes } from "./support/wire-bytes.ts";

const LIMITS = { optionBytes: 5000, optionSkipBytes: 8000, options: 6, contextQueries: 3 };

const EXPORT_NAME = 1;
const ABORT = 2;
const LIST = 3;
const INFO = 6;
const GO = 7;

const ACK = 1;
const REP_INFO = 3;

interface Opened {
  readonly geometry: Geometry;
}

const DISK: Opened = {
  geometry: {
    sizeBytes: 0x4000000,
    flags: 0x0c,
    minimumBlockBytes: 512,
    preferredBlockBytes: 4096,
    maximumPayloadBytes: 0x2000000,
    name: "the disk",
    description: "größte Platte",
    contexts: ["base:allocation", "qemu:dirty-bitmap:a", "qemu:dirty-bitmap:b", "x-name:"],
  },
};
const BARE: Opened = { geometry: { ...DISK.geometry, sizeBytes: 0, name: "", description: "" } };

const NAMED = new Map([
  ["disk", DISK],
  ["", BARE],
  ["../x\r\n", BARE],
  ["ä".repeat(2048), BARE],
]);

const EXPORTS = {
  list: async () => [
    { name: "disk", description: "größte Platte" },
    { name: "", description: "" },
  ],
  open: async (name: string) => NAMED.get(name),
};

const FIELDS = "0000000004000000 000d";
const EXPORT_INFO = `0000 ${FIELDS}`;
const FLAGS = "00000003";

function serve(...parts: readonly (string | Buffer)[]): Promise<Driven<Agreement<Opened> | undefined>> {
  return driveEveryWay(() => serverHandshake({ exports: EXPORTS, limits: LIMITS }), wireBytes(...parts));
}

/** What the server sends after its greeting. */
function answers({ sent }: Driven<unknown>): Buffer {
  expect(sent.subarray(0, 18)).toEqual(wireBytes(GREETING));
  return sent.subarray(18);
}

function errorText(bytes: Buffer): string {
  return bytes.toString("utf8", 20);
}

/** What comes of a handshake that chooses nothing but an export. */
function simple(opened: Opened): Agreement<Opened> {
  return { opened, structuredReplies: false, contexts: [] };
}

const goDisk = (informationTypes = "0000"): Buffer => option(GO, `00000004 6469736b ${informationTypes}`);

describe("serverHandshake", () => {
  it("greets before the client has said anything", async () => {
    const driven = await driveDialogue(serverHandshake({ exports: EXPORTS, limits: LIMITS }), []);
    expect(driven.ending).toEqual({ kind: "starved" });
    expect(driven.sent).toEqual(wireBytes(GREETING));
  });

  it("waits for more when the client's words are cut short anywhere", async () => {
    const bytes = wireBytes(FLAGS, option(LIST), option(99, "010203"), goDisk("0002 0001 0003"));
    for (let length = 0; length < bytes.length; length++) {
      const dialogue = serverHandshake({ exports: EXPORTS, limits: LIMITS });
      const { ending } = await driveDialogue(dialogue, [bytes.subarray(0, length)]);
      expect(ending, `after ${length} bytes`).toEqual({ kind: "starved" });
    }
  });

  it.each(["00000004", "80000000", "00010003", "ffffffff"])("hangs up on client flags %s", async (flags) => {
    const { ending } = await serve(flags);
    expect(ending).toMatchObject({ kind: "threw", error: { name: "ProtocolViolation" } });
  });

  it("hangs up on an option without its magic", async () => {
    const { ending } = await serve(FLAGS, "49484156454f5055 00000007 00000000");
    expect(ending).toMatchObject({ kind: "threw", error: { name: "ProtocolViolation" } });
  });

  it("serves as many options as allowed and no more", async () => {
    const unknown = Array<Buffer>(5).fill(option(99));
    expect((await serve(FLAGS, ...unknown, goDisk())).ending).toEqual({ kind: "returned", result: simple(DISK) });
    const { ending, unread } = await serve(FLAGS, ...unknown, option(99), goDisk());
    expect(ending).toMatchObject({ kind: "threw", error: { name: "ProtocolViolation" } });
    expect(unread).toEqual(goDisk());
  });

  it("ends with ABORT, whatever its data", async () => {
    for (const data of ["", "00112233", Buffer.alloc(6000)]) {
      const driven = await serve(FLAGS, option(ABORT, data), "ff");
      expect(driven.ending).toEqual({ kind: "returned", result: undefined });
      expect(answers(driven)).toEqual(optionReply(ABORT, ACK));
      expect(driven.unread).toEqual(wireBytes("ff"));
    }
  });

  it.each([
    ["PEEK_EXPORT", 4],
    ["STARTTLS", 5],
    ["EXTENDED_HEADERS", 11],
    ["an unknown one", 0xffffffff],
    ["option 0", 0],
  ])("answers %s with ERR_UNSUP and understands the next option", async (_, number) => {
    const driven = await serve(FLAGS, option(number), option(number, "49484156454f5054 00000007"), goDisk());
    expect(driven.ending).toEqual({ kind: "returned", result: simple(DISK) });
    const refusal = optionReply(number, 0x80000001, Buffer.from("this option is not supported"));
    const accepted = wireBytes(optionReply(GO, REP_INFO, EXPORT_INFO), optionReply(GO, ACK));
    expect(answers(driven)).toEqual(wireBytes(refusal, refusal, accepted));
  });

  it("skips data that is too long and answers ERR_TOO_BIG", async () => {
    for (const number of [LIST, INFO, GO, 8]) {
      const driven = await serve(FLAGS, option(number, Buffer.alloc(5001)), option(ABORT));
      expect(driven.ending).toEqual({ kind: "returned", result: undefined });
      expect(answers(driven).subarray(0, 16)).toEqual(wireBytes("0003e889045565a9", u32(number), "80000009"));
      expect(driven.longestReadBytes).toBe(16);
    }
  });

  it.each([8001, 0x7fffffff, 0x80000000, 0xffffffff])("hangs up on an option of %d bytes", async (length) => {
    for (const number of [EXPORT_NAME, ABORT, LIST, GO, 99]) {
      const driven = await serve(FLAGS, "49484156454f5054", u32(number), u32(length));
      expect(driven.ending).toMatchObject({ kind: "threw", error: { name: "ProtocolViolation" } });
      expect(driven.longestReadBytes).toBe(16);
    }
  });

  it("throws what opening or listing throws", async () => {
    const broken = new Error("no disk today");
    const exports = { list: () => Promise.reject(broken), open: () => Promise.reject(broken) };
    for (const asked of [goDisk(), option(LIST), option(EXPORT_NAME)]) {
      const dialogue = serverHandshake({ exports, limits: LIMITS });
      expect((await driveDialogue(dialogue, [wireBytes(FLAGS, asked)])).ending).toEqual({
        kind: "threw",
        error: broken,
      });
    }
  });
});

describe("serverHandshake, asked with GO and INFO", () => {
  it("returns the export after GO, and leaves the client's first request alone", async () => {
    const driven = await serve(FLAGS, goDisk(), "25609513");
    expect(driven.ending).toEqual({ kind: "returned", result: simple(DISK) });
    expect(answers(driven)).toEqual(wireBytes(optionReply(GO, REP_INFO, EXPORT_INFO), optionReply(GO, ACK)));
    expect(driven.unread).toEqual(wireBytes("25609513"));
  });

  it("sends no zeroes after GO to a client that did not ask to leave them out", async () => {
    const driven = await serve("00000001", goDisk());
    expect(answers(driven)).toEqual(wireBytes(optionReply(GO, REP_INFO, EXPORT_INFO), optionReply(GO, ACK)));
  });

  it("tells what was asked for, once, and ignores kinds that it does not know", async () => {
    const driven = await serve(FLAGS, goDisk("0008 0003 0001 ffff 0000 0002 0003 0004 0001"));
    expect(driven.ending).toEqual({ kind: "returned", result: simple(DISK) });
    expect(answers(driven)).toEqual(
      wireBytes(
        optionReply(GO, REP_INFO, EXPORT_INFO),
        optionReply(GO, REP_INFO, wireBytes("0001", Buffer.from("the disk"))),
        optionReply(GO, REP_INFO, wireBytes("0002", Buffer.from("größte Platte"))),
        optionReply(GO, REP_INFO, "0003 00000200 00001000 02000000"),
        optionReply(GO, ACK),
      ),
    );
  });

  it("tells the same for INFO and goes on", async () => {
    const driven = await serve(FLAGS, option(INFO, "00000004 6469736b 0001 0003"), goDisk("0001 0003"));
    const told = (number: number): Buffer =>
      wireBytes(
        optionReply(number, REP_INFO, EXPORT_INFO),
        optionReply(number, REP_INFO, "0003 00000200 00001000 02000000"),
        optionReply(number, ACK),
      );
    expect(driven.ending).toEqual({ kind: "returned", result: simple(DISK) });
    expect(answers(driven)).toEqual(wireBytes(told(INFO), told(GO)));
  });

  it("repeats the name that was asked for when the export has none, and leaves out an empty description", async () => {
    const name = "ä".repeat(2048);
    const driven = await serve(FLAGS, option(GO, wireBytes("00001000", Buffer.from(name), "0002 0001 0002")));
    expect(driven.ending).toEqual({ kind: "returned", result: simple(BARE) });
    expect(answers(driven)).toEqual(
      wireBytes(
        optionReply(GO, REP_INFO, "0000 0000000000000000 000d"),
        optionReply(GO, REP_INFO, wireBytes("0001", Buffer.from(name))),
        optionReply(GO, ACK),
      ),
    );
  });

  it("looks names up exactly, whatever they contain", async () => {
    const name = Buffer.from("../x\r\n");
    const driven = await serve(FLAGS, option(GO, wireBytes(u32(name.length), name, "0000")));
    expect(driven.ending).toEqual({ kind: "returned", result: simple(BARE) });
  });

  it.each(["disk2", "Disk", "__proto__", "constructor", "toString", "\ufeffdisk", "disk "])(
    "answers ERR_UNKNOWN to %j and stays",
    async (name) => {
      const bytes = Buffer.from(name);
      const driven = await serve(FLAGS, option(GO, wireBytes(u32(bytes.length), bytes, "0000")), option(ABORT));
      expect(driven.ending).toEqual({ kind: "returned", result: undefined });
      expect(answers(driven).subarray(0, 16)).toEqual(wireBytes("0003e889045565a9 00000007 80000006"));
    },
  );

  it("never echoes more than a short, escaped piece of an unknown name", async () => {
    const name = Buffer.from(`\u001b[2J\r\n"${"x".repeat(4000)}`);
    const driven = await serve(FLAGS, option(INFO, wireBytes(u32(name.length), name, "0000")));
    const text = errorText(answers(driven));
    expect(text).toMatch(/^there is no export "\\u\{1b\}\[2J\\r\\n\\"x+…"$/);
    expect(text.length).toBeLessThan(100);
  });

  it.each([
    ["no data", ""],
    ["too little data", "00000000 00"],
    ["a name longer than the option", "00000005 6469736b 0000"],
    ["a name that leaves no room for the count", "00000004 6469736b"],
    ["a name of 0xffffffff bytes", "ffffffff 6469736b 0000"],
    ["a name of 0xfffffffa bytes", "fffffffa 6469736b 0000"],
    ["a name of 2^31 bytes", "80000000 6469736b 0000"],
    ["a name of 4097 bytes", wireBytes("00001001", Buffer.alloc(4097, 0x61), "0000")],
    ["a name with NUL", "00000003 610062 0000"],
    ["a name that is not UTF-8", "00000002 c328 0000"],
    ["a name with an overlong encoding", "00000002 c0af 0000"],
    ["a name with half a surrogate pair", "00000003 eda080 0000"],
    ["fewer kinds than counted", "00000004 6469736b 0002 0001"],
    ["more kinds than counted", "00000004 6469736b 0001 0001 0002"],
    ["half a kind", "00000004 6469736b 0001 00"],
    ["a count of 65535", "00000004 6469736b ffff"],
  ])("answers ERR_INVALID to %s and stays", async (_, data) => {
    const open = vi.fn(EXPORTS.open);
    const exports = { ...EXPORTS, open };
    for (const number of [INFO, GO]) {
      const bytes = wireBytes(FLAGS, option(number, data), option(ABORT));
      const driven = await driveEveryWay(() => serverHandshake({ exports, limits: LIMITS }), bytes);
      expect(driven.ending).toEqual({ kind: "returned", result: undefined });
      expect(answers(driven)).toEqual(
        wireBytes(
          optionReply(number, 0x80000003, Buffer.from("the option's data is malformed")),
          optionReply(ABORT, ACK),
        ),
      );
    }
    expect(open).not.toHaveBeenCalled();
  });
});

describe("serverHandshake, asked with LIST", () => {
  it("names every export and goes on", async () => {
    const driven = await serve(FLAGS, option(LIST), option(ABORT));
    expect(answers(driven)).toEqual(
      wireBytes(
        optionReply(LIST, 2, wireBytes("00000004", Buffer.from("disk"), Buffer.from("größte Platte"))),
        optionReply(LIST, 2, "00000000"),
        optionReply(LIST, ACK),
        optionReply(ABORT, ACK),
      ),
    );
  });

  it("answers ERR_INVALID when it comes with data", async () => {
    const driven = await serve(FLAGS, option(LIST, "00000000"), option(ABORT));
    expect(answers(driven)).toEqual(
      wireBytes(optionReply(LIST, 0x80000003, Buffer.from("LIST takes no data")), optionReply(ABORT, ACK)),
    );
  });
});

describe("serverHandshake, asked with EXPORT_NAME", () => {
  it.each(["00000002", "00000003"])("answers size and flags alone to client flags %s", async (flags) => {
    const driven = await serve(flags, option(EXPORT_NAME, "6469736b"), "25609513");
    expect(driven.ending).toEqual({ kind: "returned", result: simple(DISK) });
    expect(answers(driven)).toEqual(wireBytes(FIELDS));
    expect(driven.unread).toEqual(wireBytes("25609513"));
  });

  it.each(["00000000", "00000001"])("adds 124 zeroes for client flags %s", async (flags) => {
    const driven = await serve(flags, option(EXPORT_NAME, "6469736b"));
    expect(driven.ending).toEqual({ kind: "returned", result: simple(DISK) });
    expect(answers(driven)).toEqual(wireBytes(FIELDS, Buffer.alloc(124)));
  });

  it("serves the default export to an empty name, and one of 4096 bytes", async () => {
    for (const name of ["", "ä".repeat(2048)]) {
      const driven = await serve(FLAGS, option(EXPORT_NAME, Buffer.from(name)));
      expect(driven.ending).toEqual({ kind: "returned", result: simple(BARE) });
    }
  });

  it("refuses an unknown export without a word", async () => {
    const driven = await serve(FLAGS, option(EXPORT_NAME, Buffer.from("nope\n")));
    expect(answers(driven)).toHaveLength(0);
    const error = driven.ending.kind === "threw" ? driven.ending.error : undefined;
    expect(error).toBeInstanceOf(HandshakeRefused);
    expect(error).toMatchObject({ message: 'there is no export "nope\\n"', optionReply: undefined });
  });

  it.each([
    ["contains NUL", "6100"],
    ["is not UTF-8", "ff"],
    ["has 4097 bytes", Buffer.alloc(4097, 0x61)],
  ])("hangs up when the name %s", async (_, name) => {
    const driven = await serve(FLAGS, option(EXPORT_NAME, name));
    expect(driven.ending).toMatchObject({ kind: "threw", error: { name: "ProtocolViolation" } });
    expect(driven.longestReadBytes).toBeLessThanOrEqual(16);
  });

  it.each([GO, LIST, ABORT, 99])("is the only option of a client without fixed newstyle, not %d", async (number) => {
    const driven = await serve("00000002", option(number, "00000000 0000"));
    expect(driven.ending.kind === "threw" && driven.ending.error).toBeInstanceOf(ProtocolViolation);
    expect(answers(driven)).toHaveLength(0);
  });
});
