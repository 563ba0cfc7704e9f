import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { clientHandshake } from "../../../src/protocol/client-handshake.ts";
import type { Geometry } from "../../../src/protocol/geometry.ts";
import { isProtocolText } from "../../../src/protocol/option-text.ts";
import { serverHandshake } from "../../../src/protocol/server-handshake.ts";
import { converse } from "./support/drive-dialogue.ts";

const CLIENT_LIMITS = { optionReplies: 16, optionReplyBytes: 8192 };
const SERVER_LIMITS = { optionBytes: 8192, optionSkipBytes: 16_384, options: 4 };

const names = fc
  .string({
    unit: fc.oneof(fc.constantFrom("a", "/", "ä", "\n", "\u001b", "\ufeff", "💾"), fc.string()),
    maxLength: 300,
  })
  .map((name) => Buffer.from(name).toString())
  .filter(isProtocolText);

/** Geometries as they come out of a handshake. */
const geometries: fc.Arbitrary<Geometry> = fc
  .record({
    sizeBytes: fc.maxSafeNat(),
    flags: fc.nat(0x7f).map((flags) => flags | 1),
    minimumBits: fc.nat(16),
    moreBits: fc.nat(9),
    payloadBlocks: fc.integer({ min: 1, max: 8 }),
    name: names.filter((name) => name !== ""),
    description: names,
  })
  .map(({ minimumBits, moreBits, payloadBlocks, ...rest }) => {
    const preferredBlockBytes = 2 ** Math.min(minimumBits + moreBits, 22);
    const minimumBlockBytes = 2 ** minimumBits;
    return {
      ...rest,
      minimumBlockBytes,
      preferredBlockBytes,
      maximumPayloadBytes: preferredBlockBytes * payloadBlocks,
    };
  });

function talk(asked: string, served: string, geometry: Geometry) {
  const opened = { geometry };
  const exports = {
    list: () => Promise.resolve([]),
    open: (name: string) => Promise.resolve(name === served ? opened : undefined),
  };
  return converse(
    clientHandshake({ exportName: asked, limits: CLIENT_LIMITS }),
    serverHandshake({ exports, limits: SERVER_LIMITS }),
  );
}

describe("clientHandshake against serverHandshake", () => {
  it("carries any geometry across, whatever the export is called", async () => {
    await fc.assert(
      fc.asyncProperty(names, geometries, async (name, geometry) => {
        const { left, right } = await talk(name, name, geometry);
        expect(left.ending).toEqual({ kind: "returned", result: geometry });
        expect(right.ending).toEqual({ kind: "returned", result: { geometry } });
        expect([left.unread.length, right.unread.length]).toEqual([0, 0]);
      }),
    );
  });

  it("refuses every other name, and both sides part politely", async () => {
    await fc.assert(
      fc.asyncProperty(names, names, geometries, async (asked, served, geometry) => {
        fc.pre(asked !== served);
        const { left, right } = await talk(asked, served, geometry);
        expect(left.ending).toMatchObject({
          kind: "threw",
          error: { name: "HandshakeRefused", optionReply: 0x80000006 },
        });
        expect(right.ending).toEqual({ kind: "returned", result: undefined });
      }),
    );
  });
});
