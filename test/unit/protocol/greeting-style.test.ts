import { describe, expect, it, vi } from "vitest";

import { clientHandshake } from "../../../src/protocol/client-handshake.ts";
import type { Geometry } from "../../../src/protocol/geometry.ts";
import { greetClient, type GreetingStyle } from "../../../src/protocol/greeting-style.ts";
import { HandshakeRefused } from "../../../src/protocol/handshake-refused.ts";
import { encodeOldstyleHello } from "../../../src/protocol/oldstyle-hello.ts";
import { geometry } from "../support/held-disk.ts";
import { converse, driveDialogue } from "./support/drive-dialogue.ts";
import { GREETING, option, optionReply, wireBytes } from "./support/wire-bytes.ts";

const LIMITS = { optionBytes: 5000, optionSkipBytes: 8000, options: 6, contextQueries: 3 };

/** What an old-style server said, down to bytes that mean nothing. */
const HELLO = wireBytes("4e42444d41474943 0000420281861253 0000000004000000 beef 022d", Buffer.alloc(124, 0x5a));

const FROM_OLD: Geometry = geometry({ sizeBytes: 0x4000000, flags: 0x2d, oldstyleHello: HELLO });
const FROM_NEW: Geometry = geometry({ sizeBytes: 0x4000000, flags: 0x2d });

function greet(style: GreetingStyle, disk: Geometry | undefined, says: Buffer = Buffer.alloc(0)) {
  const open = vi.fn(async (name: string) => (disk === undefined || name !== "" ? undefined : { geometry: disk }));
  const exports = { list: async () => [], open };
  return { open, driven: driveDialogue(greetClient(style, { exports, limits: LIMITS }), [says]) };
}

/** What comes of a greeting without questions, or with none that ask for more. */
function simple(disk: Geometry) {
  return { opened: { geometry: disk }, structuredReplies: false, contexts: [] };
}

describe("greetClient", () => {
  it.each<readonly [GreetingStyle, string, Geometry, "old" | "new"]>([
    ["auto", "an old-style server", FROM_OLD, "old"],
    ["auto", "a new-style server", FROM_NEW, "new"],
    ["oldstyle", "an old-style server", FROM_OLD, "old"],
    ["oldstyle", "a new-style server", FROM_NEW, "old"],
    ["newstyle", "an old-style server", FROM_OLD, "new"],
    ["newstyle", "a new-style server", FROM_NEW, "new"],
  ])("with %s in front of %s speaks as it should", async (style, _server, disk, spoken) => {
    const { sent, ending } = await greet(style, disk).driven;
    if (spoken === "old") {
      expect(sent).toEqual(encodeOldstyleHello(disk));
      expect(ending).toEqual({ kind: "returned", result: simple(disk) });
    } else {
      expect(sent).toEqual(wireBytes(GREETING));
      expect(ending).toEqual({ kind: "starved" });
    }
  });

  it.each(["auto", "oldstyle"] as const)(
    "passes the 152 bytes of an old-style server on byte for byte, with %s",
    async (style) => {
      const { sent, unread } = await greet(style, FROM_OLD, wireBytes("25609513")).driven;
      expect(sent).toEqual(HELLO);
      expect(sent).toHaveLength(152);
      // An old-style client says nothing but requests.
      expect(unread).toEqual(wireBytes("25609513"));
    },
  );

  it("gives a new-style client of an old-style server size and flags by negotiation", async () => {
    const { sent, ending } = await greet("newstyle", FROM_OLD, wireBytes("00000003", option(7, "00000000 0000")))
      .driven;
    expect(ending).toEqual({ kind: "returned", result: simple(FROM_OLD) });
    expect(sent).toEqual(wireBytes(GREETING, optionReply(7, 3, "0000 0000000004000000 002d"), optionReply(7, 1)));
  });

  it("opens nothing for a client that is greeted in new style before it asks for it", async () => {
    const { open, driven } = greet("newstyle", FROM_NEW);
    await driven;
    expect(open).not.toHaveBeenCalled();
  });

  it("has nothing to say in old style where there is no default export", async () => {
    const { sent, ending } = await greet("oldstyle", undefined).driven;
    expect(sent).toHaveLength(0);
    expect(ending.kind === "threw" && ending.error).toBeInstanceOf(HandshakeRefused);
  });

  it("negotiates, with auto, where there is no default export", async () => {
    const { sent } = await greet("auto", undefined).driven;
    expect(sent).toEqual(wireBytes(GREETING));
  });

  it("throws what opening throws", async () => {
    const broken = new Error("no disk today");
    const exports = { list: async () => [], open: () => Promise.reject(broken) };
    const { ending } = await driveDialogue(greetClient("auto", { exports, limits: LIMITS }), []);
    expect(ending).toEqual({ kind: "threw", error: broken });
  });

  it("is understood by our own client, in whatever style and over two proxies", async () => {
    for (const [style, disk] of [
      ["oldstyle", FROM_NEW],
      ["auto", FROM_OLD],
      ["newstyle", FROM_OLD],
    ] as const) {
      const exports = { list: async () => [], open: async () => ({ geometry: disk }) };
      const limits = { optionReplies: 8, optionReplyBytes: 6000, contexts: 4 };
      const { left } = await converse(
        clientHandshake({ exportName: "", limits }),
        greetClient(style, { exports, limits: LIMITS }),
      );
      const flags = style === "newstyle" ? 0xad : 0x2d;
      expect(left.ending).toMatchObject({
        kind: "returned",
        result: { geometry: { sizeBytes: 0x4000000, flags }, structuredReplies: style === "newstyle" },
      });
      const hello = left.ending.kind === "returned" ? left.ending.result.geometry.oldstyleHello : undefined;
      expect(hello).toEqual(style === "newstyle" ? undefined : encodeOldstyleHello(disk));
    }
  });
});
