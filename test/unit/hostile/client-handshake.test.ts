import { describe, expect, it } from "vitest";

import { LIMITS } from "../../../src/limits.ts";
import { errorChunkBytes, replyBytes } from "../support/naive-codec.ts";
import { clientHello } from "../support/negotiation.ts";
import { settle } from "../support/settle.ts";
import { option, optionReply, u32, wireBytes } from "../protocol/support/wire-bytes.ts";
import { HostileWorld } from "./hostile-world.ts";

// Items 1 to 7 of the checklist of malicious clients: whatever is said before the transmission phase, the proxy hangs up
// on it or answers it, says so once, tells the server nothing, and goes on serving the others.

const FLAGS = "00000003";
const EXPORT_NAME = 1;
const LIST = 3;
const STARTTLS = 5;
const INFO = 6;
const GO = 7;
const STRUCTURED_REPLY = 8;
const LIST_META_CONTEXT = 9;
const SET_META_CONTEXT = 10;

const GO_DISK = option(GO, "00000004 6469736b 0000");
/** A query for all contexts of that export. */
const ALL_OF_DISK = "00000004 6469736b 00000000";
const INVALID = 0x80000003;
const BLOCK_STATUS = wireBytes("25609513 0000 0007 0000000000000001 0000000000000000 00000001");
const REFUSED = Buffer.from("this option is not supported");

function named(number: number, name: Buffer): Buffer {
  return number === EXPORT_NAME ? option(number, name) : option(number, wireBytes(u32(name.length), name, "0000"));
}

/** So many queries for the same context. */
function queries(count: number): Buffer {
  const name = Buffer.from("base:allocation");
  const query = wireBytes(u32(name.length), name);
  return wireBytes("00000004 6469736b", u32(count), ...Array.from({ length: count }, () => query));
}

/** What the server's side answers to these options of a client with good flags. */
async function answersTo(...options: readonly (string | Buffer)[]) {
  const world = await HostileWorld.open();
  const stream = await world.attacker();
  stream.say(wireBytes(FLAGS, ...options));
  await settle();
  return { world, stream, said: stream.heard };
}

/** The types of the option replies in these bytes. */
function replyTypes(bytes: Buffer): number[] {
  const types: number[] = [];
  for (let at = 0; at + 20 <= bytes.length; at += 20 + bytes.readUInt32BE(at + 16))
    types.push(bytes.readUInt32BE(at + 12));
  return types;
}

describe("a client that breaks the handshake", () => {
  it.each<readonly [string, ...(string | Buffer)[]]>([
    ["client flags with unknown bits", "80000003"],
    ["all client flags", "ffffffff"],
    ["an option other than EXPORT_NAME without fixed newstyle", "00000002", GO_DISK],
    ["a wrong option magic", FLAGS, "49484156454f5055 00000007 00000000"],
    ["the magic of a reply as an option", FLAGS, "0003e889045565a9 00000007 00000000"],
    ["a request in place of an option", FLAGS, "25609513 00000000", Buffer.alloc(20)],
    ["another protocol", Buffer.from("GET / HTTP/1.1\r\nHost: nowhere.example\r\n\r\n")],
    ["an option of 4 GiB", FLAGS, "49484156454f5054 00000007 ffffffff"],
    ["an option of 4 GiB, LIST", FLAGS, "49484156454f5054 00000003 ffffffff"],
    ["an option of more than 1 MiB", FLAGS, "49484156454f5054 00000063", u32(LIMITS.optionSkipBytes + 1)],
    ["EXPORT_NAME with 4 GiB", FLAGS, "49484156454f5054 00000001 ffffffff"],
    ["EXPORT_NAME with 4097 bytes", FLAGS, "49484156454f5054 00000001 00001001"],
    ["EXPORT_NAME with NUL", FLAGS, option(EXPORT_NAME, "6100")],
    ["EXPORT_NAME that is no UTF-8", FLAGS, option(EXPORT_NAME, "ff")],
    ["EXPORT_NAME that nobody has", FLAGS, option(EXPORT_NAME, Buffer.from("__proto__"))],
    ["more options than allowed", FLAGS, ...Array.from({ length: LIMITS.options + 1 }, () => option(99))],
    ["LIST over and over", FLAGS, ...Array.from({ length: LIMITS.options + 1 }, () => option(LIST))],
    [
      "INFO over and over",
      FLAGS,
      ...Array.from({ length: LIMITS.options + 1 }, () => named(INFO, Buffer.from("disk"))),
    ],
  ])("is hung up on, once and with one line: %s", async (_name, ...parts) => {
    const world = await HostileWorld.open();
    const stream = await world.attacker();
    stream.say(wireBytes(...parts));
    stream.say(Buffer.alloc(1000, 0xee));
    await settle();
    expect(world.complaints).toHaveLength(1);
    expect(world.complaints[0]).toMatch(/^client attacker: negotiation failed: .*; hanging up$/);
    expect(stream.finished).toBe(true);
    world.clock.advance(LIMITS.farewellMs);
    expect(stream.destroyed).toBe(true);
    await world.expectUnharmed();
  });

  it.each([0, 1, 3, 4, 12, 19, 20, 29])("has ten seconds in all when it stops after %i bytes", async (count) => {
    const world = await HostileWorld.open();
    const stream = await world.attacker();
    const bytes = wireBytes(FLAGS, GO_DISK);
    stream.say(bytes.subarray(0, count));
    world.clock.advance(LIMITS.handshakeMs - 1);
    expect(world.complaints).toEqual([]);
    world.clock.advance(1);
    await settle();
    expect(world.complaints).toEqual([
      "client attacker: negotiation failed: no complete handshake within 10 s; hanging up",
    ]);
    await world.expectUnharmed();
  });

  it("has ten seconds in all, though it sends an option now and then", async () => {
    const world = await HostileWorld.open();
    const stream = await world.attacker();
    stream.say(wireBytes(FLAGS));
    for (let second = 0; second < 10; second += 1) {
      expect(stream.finished).toBe(false);
      stream.say(option(99));
      world.clock.advance(1000);
    }
    await settle();
    expect([stream.finished, world.complaints.length]).toEqual([true, 1]);
    await world.expectUnharmed();
  });
});

describe("a client whose options can be answered", () => {
  it("is told that an option is too big, which is skipped, and can go on", async () => {
    const { world, said } = await answersTo(option(99, Buffer.alloc(LIMITS.optionSkipBytes)), GO_DISK);
    expect(replyTypes(said)).toEqual([0x80000009, 3, 1]);
    expect(world.complaints).toEqual([]);
    await world.expectUnharmed();
  });

  it.each([
    ["a name longer than the option", "00000005 6469736b 0000"],
    ["a name of 0xffffffff bytes", "ffffffff 6469736b 0000"],
    ["a name length that overflows with the fields around it", "fffffffa 6469736b 0000"],
    ["a name of 4097 bytes", wireBytes("00001001", Buffer.alloc(4097, 0x61), "0000")],
    ["a name with NUL", "00000003 610062 0000"],
    ["a name that is not UTF-8", "00000002 c328 0000"],
    ["a count that is larger than what follows", "00000004 6469736b ffff"],
    ["a count that is smaller than what follows", "00000004 6469736b 0000 0001"],
    ["nothing at all", ""],
  ])("is told ERR_INVALID about INFO and GO with %s", async (_name, data) => {
    const { world, said } = await answersTo(option(INFO, data), option(GO, data), GO_DISK);
    expect(replyTypes(said)).toEqual([0x80000003, 0x80000003, 3, 1]);
    await world.expectUnharmed();
  });

  it.each([
    "__proto__",
    "constructor",
    "hasOwnProperty",
    "../disk",
    "disk/",
    "Disk",
    " disk",
    "disk\r\n",
    "\u001b[2J",
    "\ufeffdisk",
  ])("gets no export for the name %j, and an error text that can be printed", async (name) => {
    const { world, said } = await answersTo(named(INFO, Buffer.from(name)), named(GO, Buffer.from(name)));
    expect(replyTypes(said)).toEqual([0x80000006, 0x80000006]);
    expect(said.toString("utf8", 20, 20 + said.readUInt32BE(16))).toMatch(
      /^there is no export "[\p{L}\p{N}\p{P}\p{S} ]*"$/u,
    );
    await world.expectUnharmed();
  });

  it("never hears more than a short piece of the name that it asked for", async () => {
    const { said } = await answersTo(named(GO, Buffer.alloc(4096, 0x1b)));
    expect(replyTypes(said)).toEqual([0x80000006]);
    expect(said.length).toBeLessThan(200);
  });

  it("cannot write control characters or other lines into the log", async () => {
    const name = Buffer.from('x"\r\nclient witness: left\n\u001b[31m\u202e');
    const world = await HostileWorld.open();
    const stream = await world.attacker();
    stream.say(wireBytes(FLAGS, option(EXPORT_NAME, name)));
    await settle();
    expect(world.complaints).toEqual([
      String.raw`client attacker: negotiation failed: there is no export "x\"\r\nclient witness: left\n\u{1b}[31m\u{202e}"; hanging up`,
    ]);
    await world.expectUnharmed();
  });

  it.each([
    ["STARTTLS, twice, and with data", [option(STARTTLS), option(STARTTLS, "00")]],
    ["EXTENDED_HEADERS", [option(11)]],
    ["PEEK_EXPORT, which was withdrawn", [option(4)]],
  ])("is told ERR_UNSUP about %s, and nothing of it stays in force", async (_name, options) => {
    const { world, stream, said } = await answersTo(...options, GO_DISK);
    const number = (options[0] as Buffer).readUInt32BE(8);
    const refusals = options.map(() => optionReply(number, 0x80000001, REFUSED));
    expect(said.subarray(0, -52)).toEqual(Buffer.concat(refusals));
    expect(replyTypes(said).slice(-2)).toEqual([3, 1]);
    // Simple replies all the same, and no flag that needs more.
    stream.listen();
    stream.say(BLOCK_STATUS);
    await settle();
    expect(stream.heard).toEqual(replyBytes({ error: 22, cookie: 1n }));
    await world.expectUnharmed();
  });

  it("gets the bytes behind STARTTLS answered like any others: there is no TLS whose state they could taint", async () => {
    const { world, said } = await answersTo(option(STARTTLS), option(STRUCTURED_REPLY), GO_DISK);
    expect(replyTypes(said)).toEqual([0x80000001, 1, 3, 1]);
    await world.expectUnharmed();
  });

  it.each<readonly [string, readonly Buffer[], readonly number[]]>([
    ["SET_META_CONTEXT", [option(SET_META_CONTEXT, ALL_OF_DISK)], [INVALID]],
    ["LIST_META_CONTEXT", [option(LIST_META_CONTEXT, ALL_OF_DISK)], [INVALID]],
    ["rubbish as SET_META_CONTEXT", [option(SET_META_CONTEXT, "ffffffff")], [INVALID]],
    ["STRUCTURED_REPLY with data", [option(STRUCTURED_REPLY, "00")], [INVALID]],
  ])(
    "without structured replies is told ERR_INVALID about %s, and has no block status",
    async (_name, options, types) => {
      const { world, stream, said } = await answersTo(...options, GO_DISK);
      expect(replyTypes(said)).toEqual([...types, 3, 1]);
      stream.listen();
      stream.say(BLOCK_STATUS);
      await settle();
      expect(stream.heard).toEqual(replyBytes({ error: 22, cookie: 1n }));
      await world.expectUnharmed();
    },
  );

  it.each<readonly [string, readonly Buffer[], readonly number[]]>([
    ["STRUCTURED_REPLY again, with data", [option(STRUCTURED_REPLY, "00")], [INVALID]],
    ["STRUCTURED_REPLY twice", [option(STRUCTURED_REPLY)], [1]],
    ["contexts of another export", [option(SET_META_CONTEXT, "00000005 6f74686572 00000000")], [0x80000006]],
    ["2^32 - 1 queries", [option(SET_META_CONTEXT, "00000004 6469736b ffffffff")], [INVALID]],
    ["a query of 4 GiB", [option(SET_META_CONTEXT, "00000004 6469736b 00000001 ffffffff")], [INVALID]],
    ["a name of 4 GiB", [option(SET_META_CONTEXT, "ffffffff 6469736b 00000000")], [INVALID]],
    ["more behind the last query", [option(SET_META_CONTEXT, "00000004 6469736b 00000000 00")], [INVALID]],
    ["nothing at all", [option(SET_META_CONTEXT)], [INVALID]],
    ["many queries", [option(SET_META_CONTEXT, queries(LIMITS.contextQueries + 1))], [0x80000009]],
    ["as many queries as allowed", [option(SET_META_CONTEXT, queries(LIMITS.contextQueries))], [1]],
    ["more than is read", [option(SET_META_CONTEXT, Buffer.alloc(LIMITS.optionBytes + 1))], [0x80000009]],
    ["a context that the server does not have", [option(SET_META_CONTEXT, queries(1))], [1]],
  ])("is answered about contexts, and has none: %s", async (_name, options, types) => {
    const { world, stream, said } = await answersTo(option(STRUCTURED_REPLY), ...options, GO_DISK);
    expect(replyTypes(said)).toEqual([1, ...types, 3, 1]);
    stream.listen();
    stream.say(BLOCK_STATUS);
    await settle();
    expect(stream.heard).toEqual(errorChunkBytes({ cookie: 1n, error: 22 }));
    await world.expectUnharmed();
  });
});

describe("a client that goes on negotiating after GO", () => {
  it.each([
    ["another GO", GO_DISK],
    ["LIST", option(LIST)],
    ["ABORT", option(2)],
  ])("is hung up on: %s is no request", async (_name, late) => {
    // Twice, because a request is longer than a short option.
    const { world, stream } = await answersTo(GO_DISK, late, late);
    expect(world.complaints).toEqual(["client attacker: wrong request magic 0x49484156; hanging up"]);
    expect(stream.finished).toBe(true);
    await world.expectUnharmed();
  });
});

describe("a client that says less than a request after GO", () => {
  it("is hung up on when it says no more", async () => {
    const { world } = await answersTo(GO_DISK, option(LIST));
    world.clock.advance(LIMITS.messageMs - 1);
    expect(world.complaints).toEqual([]);
    world.clock.advance(1);
    expect(world.complaints).toEqual(["client attacker: a request was begun and did not go on; hanging up"]);
    await world.expectUnharmed();
  });
});

describe("the server, while clients don't finish their handshake", () => {
  it("is told nothing, however many there are, and is not dialled", async () => {
    const world = await HostileWorld.open({ maxClients: 1000 });
    const heard = world.server.stream.heard.length;
    const hello = clientHello("disk");
    for (let count = 0; count < 300; count += 1)
      world.network.client("attacker").say(hello.subarray(0, count % hello.length));
    await settle();
    world.clock.advance(LIMITS.handshakeMs);
    await settle();
    expect(world.server.stream.heard).toHaveLength(heard);
    await world.expectUnharmed();
  });

  it("is told nothing by a client that only asks around", async () => {
    const world = await HostileWorld.open();
    const heard = world.server.stream.heard.length;
    const stream = await world.attacker();
    stream.say(wireBytes(FLAGS, option(LIST), named(INFO, Buffer.from("disk")), option(2)));
    await settle();
    expect(replyTypes(stream.heard)).toEqual([2, 1, 3, 1, 1]);
    expect(world.server.stream.heard).toHaveLength(heard);
  });
});
