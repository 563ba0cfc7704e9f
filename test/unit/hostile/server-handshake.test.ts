import { describe, expect, it } from "vitest";

import { LIMITS } from "../../../src/limits.ts";
import { TRANSMISSION_FLAG } from "../../../src/protocol/constants.ts";
import { GREETING, optionReply, u32, wireBytes } from "../protocol/support/wire-bytes.ts";
import { setUp as setUpProxy } from "../proxy/started-proxy.ts";
import type { FakeStream } from "../support/fake-stream.ts";
import { ALL_FLAGS } from "../support/negotiation.ts";
import { settle } from "../support/settle.ts";
import { HostileWorld } from "./hostile-world.ts";

// Items 1 to 3 of the checklist of malicious servers: whatever a server says before the transmission phase. At start the
// proxy says why and does not start; in an outage it says why, waits, and tries again, and its clients notice nothing.

const GO = 7;
const STRUCTURED_REPLY = 8;
const LIST = 9;
const SET = 10;
/** What a server says before anything about the export: that it knows no structured replies, or that it does. */
const SIMPLE = wireBytes(GREETING, optionReply(STRUCTURED_REPLY, 0x80000001));
const STRUCTURED = wireBytes(GREETING, optionReply(STRUCTURED_REPLY, 1));
const INFO = 3;
const ACKED = optionReply(GO, 1);
const EXPORT = optionReply(GO, INFO, "0000 0000000000100000 0c6d");

const LISTED = optionReply(LIST, 4, "00000000 613a62");
const LIST_END = optionReply(LIST, 1);

const VIOLATIONS: readonly (readonly [string, ...(string | Buffer)[]])[] = [
  ["greets as something else", Buffer.from("SSH-2.0-OpenSSH_9.2p1 Debian\r\n")],
  ["greets with a wrong magic", "4e42444d41474944 49484156454f5054 0003"],
  ["greets in an unknown style", "4e42444d41474943 49484156454f5055 0003"],
  ["begins a reply with a wrong magic", SIMPLE, "0003e889045565aa 00000007 00000001 00000000"],
  ["answers an option that was never sent", SIMPLE, optionReply(6, 1)],
  ["answers with the reply of another option", SIMPLE, optionReply(GO, 2, "00000000")],
  ["answers with a context that nobody asked for", SIMPLE, optionReply(GO, 4, "00000001")],
  ["acknowledges without a word about the export", SIMPLE, ACKED],
  ["acknowledges with data", SIMPLE, EXPORT, optionReply(GO, 1, "00")],
  ["claims a reply of 4 GiB", SIMPLE, "0003e889045565a9 00000007 00000003 ffffffff"],
  ["claims a reply of 2 GiB", SIMPLE, "0003e889045565a9 00000007 00000003 80000000"],
  ["claims a reply beyond the limit", SIMPLE, "0003e889045565a9 00000007 00000003", u32(LIMITS.optionReplyBytes + 1)],
  ["informs without an end", SIMPLE, ...Array.from({ length: LIMITS.optionReplies + 1 }, () => EXPORT)],
  ["informs with half a word", SIMPLE, optionReply(GO, INFO, "00"), ACKED],
  ["claims a size of 2^63", SIMPLE, optionReply(GO, INFO, "0000 8000000000000000 0c6d"), ACKED],
  ["claims a size of 2^64 - 1", SIMPLE, optionReply(GO, INFO, "0000 ffffffffffffffff 0c6d"), ACKED],
  ["claims a size that no Number holds", SIMPLE, optionReply(GO, INFO, "0000 0020000000000000 0c6d"), ACKED],
  ["sends flags without HAS_FLAGS", SIMPLE, optionReply(GO, INFO, "0000 0000000000100000 0c6c"), ACKED],
  ["has blocks of no bytes", SIMPLE, EXPORT, optionReply(GO, INFO, "0003 00000000 00001000 02000000"), ACKED],
  ["has blocks of three bytes", SIMPLE, EXPORT, optionReply(GO, INFO, "0003 00000003 00001000 02000000"), ACKED],
  ["prefers less than its minimum", SIMPLE, EXPORT, optionReply(GO, INFO, "0003 00001000 00000200 02000000"), ACKED],
  ["prefers more than its maximum", SIMPLE, EXPORT, optionReply(GO, INFO, "0003 00000001 00001000 00000200"), ACKED],
  ["has a maximum of nothing", SIMPLE, EXPORT, optionReply(GO, INFO, "0003 00000001 00001000 00000000"), ACKED],
  ["has a name beyond 4096 bytes", SIMPLE, EXPORT, optionReply(GO, INFO, wireBytes("0001", Buffer.alloc(4097, 0x61)))],
  ["answers GO before it was asked", GREETING, EXPORT, ACKED],
  ["acknowledges structured replies with data", GREETING, optionReply(STRUCTURED_REPLY, 1, "00")],
  ["answers structured replies with a context", GREETING, optionReply(STRUCTURED_REPLY, 4, "00000000 613a62")],
  ["lists half an id", STRUCTURED, optionReply(LIST, 4, "0000")],
  ["lists a context beyond 4096 bytes", STRUCTURED, optionReply(LIST, 4, Buffer.alloc(4101, 0x61))],
  ["lists without an end", STRUCTURED, ...Array.from({ length: LIMITS.optionReplies + 1 }, () => LISTED)],
  ["lists a reply of 4 GiB", STRUCTURED, "0003e889045565a9 00000009 00000004 ffffffff"],
  ["selects what nobody asked for", STRUCTURED, LISTED, LIST_END, optionReply(SET, 4, "00000001 613a63")],
  ["selects without a name", STRUCTURED, LISTED, LIST_END, optionReply(SET, 4, "00000001")],
  [
    "selects twice",
    STRUCTURED,
    LISTED,
    LIST_END,
    optionReply(SET, 4, "00000001 613a62"),
    optionReply(SET, 4, "00000002 613a62"),
  ],
];

const REFUSALS: readonly (readonly [string, ...(string | Buffer)[]])[] = [
  ["ERR_POLICY", SIMPLE, optionReply(GO, 0x80000002, Buffer.from("maximum of connections"))],
  ["ERR_TLS_REQD", SIMPLE, optionReply(GO, 0x80000005)],
  ["ERR_UNKNOWN", SIMPLE, optionReply(GO, 0x80000006)],
  ["ERR_SHUTDOWN", SIMPLE, optionReply(GO, 0x80000007)],
  ["ERR_BLOCK_SIZE_REQD", SIMPLE, optionReply(GO, 0x80000008)],
  ["an error that nobody knows", SIMPLE, optionReply(GO, 0xffffffff)],
  ["an error text of 64 KiB", SIMPLE, optionReply(GO, 0x80000006, Buffer.alloc(LIMITS.optionReplyBytes, 0x1b))],
];

/** A world in an outage, with an attempt to reconnect answered by a server that says this. */
async function reconnectedTo(...parts: readonly (string | Buffer)[]) {
  const world = await HostileWorld.open();
  await world.server.drop();
  await world.untilDialled();
  const stream = world.network.lastDial.connect();
  stream.say(wireBytes(...parts));
  await settle();
  return { world, stream };
}

/** How often the proxy dialled within so many seconds in which every server said this. */
async function dialsWithin(seconds: number, world: HostileWorld, parts: readonly (string | Buffer)[]): Promise<number> {
  const before = world.network.dials.length;
  world.network.onDial = (dial) => dial.connect().say(wireBytes(...parts));
  const endMs = world.clock.nowMs() + seconds * 1000;
  while (world.clock.nowMs() < endMs) {
    world.clock.advance(Math.min(world.clock.nextInMs ?? endMs, endMs - world.clock.nowMs()));
    await settle();
  }
  world.network.onDial = undefined;
  return world.network.dials.length - before;
}

describe("a server that breaks the handshake", () => {
  it.each(VIOLATIONS)("is not started with: one that %s", async (_name, ...parts) => {
    const { proxy, network, clock } = setUpProxy();
    const starting = proxy.start();
    const outcome = expect(starting).rejects.toThrow(/./);
    const stream = network.lastDial.connect();
    stream.say(wireBytes(...parts));
    await outcome;
    await settle();
    expect([stream.closed, network.listening, network.dials.length, clock.pending]).toEqual([true, undefined, 1, 0]);
  });

  it.each(VIOLATIONS)("is hung up on in an outage, and tried again: one that %s", async (_name, ...parts) => {
    const { world, stream } = await reconnectedTo(...parts);
    expect(stream.closed).toBe(true);
    expect(world.log.of("warning").at(-1)).toMatch(/^server store:10809: can't connect: .+; trying on$/);
    expect(world.log.of("warning").at(-1)).not.toMatch(/\p{Cc}/u);
    await world.nextServer();
    await world.expectServed();
  });

  it.each(VIOLATIONS)("is not dialled in a tight loop: one that %s", async (_name, ...parts) => {
    const { world } = await reconnectedTo(...parts);
    expect(await dialsWithin(10, world, parts)).toBeLessThanOrEqual(101);
    // Ten lines a second that all say the same would hide the others.
    expect(world.log.of("warning").length).toBeLessThanOrEqual(3);
    await world.nextServer();
    await world.expectServed();
  });
});

describe("a server that refuses", () => {
  it.each(REFUSALS)(
    "with %s is tried again, with a growing distance, and its words are escaped",
    async (_name, ...parts) => {
      const { world, stream } = await reconnectedTo(...parts);
      expect(stream.destroyed).toBe(true);
      const line = world.log.of("warning").at(-1) ?? "";
      expect(line).toMatch(/^server store:10809: can't connect: the server refused the export .*; trying on$/);
      expect(line).not.toMatch(/\p{Cc}/u);
      expect(line.length).toBeLessThan(600);
      expect(await dialsWithin(60, world, parts)).toBeLessThanOrEqual(601);
      expect(await dialsWithin(60, world, parts)).toBeLessThanOrEqual(20);
      await world.nextServer();
      await world.expectServed();
    },
  );
});

describe("a server that takes the connection and does not finish the handshake", () => {
  it.each<readonly [string, ...(string | Buffer)[]]>([
    ["says nothing"],
    ["greets and says nothing more", GREETING],
    ["never acknowledges", SIMPLE, EXPORT],
    ["stops before the contexts", STRUCTURED],
    ["never ends its list", STRUCTURED, LISTED],
    ["never ends its selection", STRUCTURED, LISTED, LIST_END],
    ["stops in a reply", SIMPLE, EXPORT.subarray(0, 25)],
    ["greets in old style by half", "4e42444d41474943 0000420281861253 0000"],
  ])("is given up after ten seconds, and tried again: one that %s", async (_name, ...parts) => {
    const { world, stream } = await reconnectedTo(...parts);
    world.clock.advance(LIMITS.handshakeMs - 1);
    expect(stream.destroyed).toBe(false);
    world.clock.advance(1);
    expect(stream.destroyed).toBe(true);
    expect(world.log.of("warning").at(-1)).toContain("can't connect: no complete handshake within 10 s; trying on");
    await world.nextServer();
    await world.expectServed();
  });

  it("has ten seconds in all, though it says a byte now and then", async () => {
    const { world, stream } = await reconnectedTo("4e42");
    for (let second = 0; second < 10; second += 1) {
      expect(stream.destroyed).toBe(false);
      stream.say(Buffer.from("444d41474943494841".slice(2 * second, 2 * second + 2), "hex"));
      world.clock.advance(1000);
    }
    expect(stream.destroyed).toBe(true);
    await world.nextServer();
    await world.expectServed();
  });
});

describe("a server that has become another one", () => {
  it.each<readonly [string, Parameters<HostileWorld["nextServer"]>[0]]>([
    ["is smaller", { sizeBytes: 1024 * 1024 - 512 }],
    ["is larger", { sizeBytes: 1024 * 1024 + 512 }],
    ["is empty", { sizeBytes: 0 }],
    ["is read-only", { flags: ALL_FLAGS | TRANSMISSION_FLAG.READ_ONLY }],
    ["offers no FLUSH", { flags: ALL_FLAGS & ~TRANSMISSION_FLAG.SEND_FLUSH }],
    ["has larger blocks", { blocks: [4096, 4096, 0x200_0000] }],
    ["takes shorter payloads", { blocks: [1, 4096, 65_536] }],
  ])("is told nothing: one that %s", async (_name, hello) => {
    const world = await HostileWorld.open();
    world.witness.write(0, Buffer.from("for the right one"));
    await settle();
    await world.server.drop();
    const stranger = await world.nextServer(hello);
    expect([stranger.bytes.length, stranger.stream.destroyed]).toEqual([0, true]);
    const right = await world.nextServer();
    expect(right.requests.map(({ payload }) => String(payload))).toEqual(["for the right one"]);
    await right.answer(0);
    await world.expectServed();
  });

  it("is told nothing when it is the candidate beside a silent one either", async () => {
    const world = await HostileWorld.open();
    world.witness.write(0, Buffer.from("for the right one"));
    await settle();
    const silent = world.server.stream;
    world.clock.advance(30_000);
    const stranger = await world.nextServer({ sizeBytes: 512 });
    expect([stranger.bytes.length, stranger.stream.destroyed, silent.destroyed]).toEqual([0, true, false]);
  });

  it("may offer more, of which nobody hears", async () => {
    const world = await HostileWorld.open({}, { flags: TRANSMISSION_FLAG.HAS_FLAGS });
    await world.server.drop();
    await world.nextServer({ flags: 0xffff & ~TRANSMISSION_FLAG.READ_ONLY });
    await world.expectServed();
  });
});

describe("a server whose size is odd", () => {
  it.each([0, 1, 511, 513, 1_000_003])("is served as it is: %i bytes", async (sizeBytes) => {
    const { proxy, network } = setUpProxy();
    const starting = proxy.start();
    const stream: FakeStream = network.lastDial.connect();
    const size = sizeBytes.toString(16).padStart(16, "0");
    stream.say(wireBytes(SIMPLE, optionReply(GO, INFO, `0000 ${size} 0001`), ACKED));
    await starting;
    const client = network.client();
    client.say(wireBytes("00000003 49484156454f5054 00000007 00000006 00000000 0000"));
    await settle();
    expect(Number(client.heard.readBigUInt64BE(18 + 20 + 2))).toBe(sizeBytes);
  });
});
