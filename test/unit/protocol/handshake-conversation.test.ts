import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { clientHandshake } from "../../../src/protocol/client-handshake.ts";
import { TRANSMISSION_FLAG } from "../../../src/protocol/constants.ts";
import type { Geometry } from "../../../src/protocol/geometry.ts";
import { isProtocolText } from "../../../src/protocol/option-text.ts";
import { serverHandshake } from "../../../src/protocol/server-handshake.ts";
import { converse } from "./support/drive-dialogue.ts";

const CLIENT_LIMITS = { optionReplies: 16, optionReplyBytes: 8192, contexts: 4 };
const SERVER_LIMITS = { optionBytes: 8192, optionSkipBytes: 16_384, options: 4, contextQueries: 4 };

const names = fc
  .string({
    unit: fc.oneof(fc.constantFrom("a", "/", "ä", "\n", "\u001b", "\ufeff", "💾"), fc.string()),
    maxLength: 300,
  })
  .map((name) => Buffer.from(name).toString())
  .filter(isProtocolText);

/** Names of contexts that can be asked for, and some that can't. */
const contextNames = fc.uniqueArray(
  fc.oneof(
    fc.constantFrom("base:allocation", "qemu:dirty-bitmap:a", "x-ä:\n", "x-wild:", "no colon", ":no namespace", ""),
    names,
  ),
  { maxLength: 8 },
);

/** Geometries of disks that may be served. */
const geometries: fc.Arbitrary<Geometry> = fc
  .record({
    sizeBytes: fc.maxSafeNat(),
    flags: fc.nat(0x7f).map((flags) => flags | 1),
    minimumBits: fc.nat(16),
    moreBits: fc.nat(9),
    payloadBlocks: fc.integer({ min: 1, max: 8 }),
    name: names.filter((name) => name !== ""),
    description: names,
    contexts: contextNames,
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

/** The contexts that our client selects of what a server has. */
function selected(contexts: readonly string[]): string[] {
  const usable = contexts.filter((name) => /^[^:]+:/u.test(name) && !name.endsWith(":"));
  const base = usable.filter((name) => name === "base:allocation");
  return [...base, ...usable.filter((name) => name !== "base:allocation")].slice(0, CLIENT_LIMITS.contexts);
}

describe("clientHandshake against serverHandshake", () => {
  it("carries any geometry across, with structured replies and contexts, whatever the export is called", async () => {
    await fc.assert(
      fc.asyncProperty(names, geometries, async (name, geometry) => {
        const { left, right } = await talk(name, name, geometry);
        const contexts = selected(geometry.contexts);
        if (left.ending.kind !== "returned" || right.ending.kind !== "returned") throw new Error("they did not agree");
        const { geometry: learnt, structuredReplies, contextNames: ids } = left.ending.result;
        expect(learnt).toEqual({ ...geometry, flags: geometry.flags | TRANSMISSION_FLAG.SEND_DF, contexts });
        expect(structuredReplies).toBe(true);
        expect(right.ending.result).toMatchObject({ opened: { geometry }, structuredReplies: true });
        const agreed = right.ending.result?.contexts ?? [];
        expect(new Map(agreed.map((context) => [context.id, context.name]))).toEqual(ids);
        expect([ids.size, new Set(ids.values())]).toEqual([contexts.length, new Set(contexts)]);
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
