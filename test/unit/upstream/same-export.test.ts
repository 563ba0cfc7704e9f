import { describe, expect, it } from "vitest";

import { TRANSMISSION_FLAG } from "../../../src/protocol/constants.ts";
import type { Geometry } from "../../../src/protocol/geometry.ts";
import { sameContexts, StrangeExport, strangeness } from "../../../src/upstream/same-export.ts";
import { geometry } from "../support/held-disk.ts";
import { ALL_FLAGS } from "../support/negotiation.ts";

const F = TRANSMISSION_FLAG;
const READ_ONLY = ALL_FLAGS | F.READ_ONLY;

/** What users need who use no contexts. */
const NEEDS = { anySize: false, contexts: [] };

/** [what changed, the export before, the export now]. */
type Row = readonly [string, Partial<Geometry>, Partial<Geometry>];

const SAME: readonly Row[] = [
  ["nothing", {}, {}],
  ["that it offers more", { flags: F.HAS_FLAGS }, { flags: ALL_FLAGS }],
  ["that it is writable now", { flags: READ_ONLY }, {}],
  ["that it is read-only still", { flags: READ_ONLY }, { flags: READ_ONLY }],
  ["that FUA is gone", {}, { flags: ALL_FLAGS & ~F.SEND_FUA }],
  ["that TRIM is gone", {}, { flags: ALL_FLAGS & ~F.SEND_TRIM }],
  ["that WRITE_ZEROES is gone", {}, { flags: ALL_FLAGS & ~F.SEND_WRITE_ZEROES & ~F.SEND_FAST_ZERO }],
  ["that CACHE is gone", {}, { flags: ALL_FLAGS & ~F.SEND_CACHE }],
  ["its minimum block size, to a smaller one", { minimumBlockBytes: 4096 }, { minimumBlockBytes: 512 }],
  ["its maximum payload, to a larger one", { maximumPayloadBytes: 65_536 }, { maximumPayloadBytes: 131_072 }],
  ["that DF is gone", { flags: ALL_FLAGS | F.SEND_DF }, {}],
  ["its contexts, which nobody uses", { contexts: ["base:allocation"] }, { contexts: ["qemu:allocation-depth"] }],
  ["its preferred block size, name and description", {}, { preferredBlockBytes: 512, name: "n", description: "d" }],
];

const STRANGE: readonly (readonly [...Row, string])[] = [
  ["its size, to a larger one", { sizeBytes: 100 }, { sizeBytes: 101 }, "its size is 101 bytes, not 100"],
  ["its size, to a smaller one", { sizeBytes: 100 }, { sizeBytes: 99 }, "its size is 99 bytes, not 100"],
  ["that it is read-only", {}, { flags: READ_ONLY }, "it is read-only now"],
  ["that FLUSH is gone", {}, { flags: ALL_FLAGS & ~F.SEND_FLUSH }, "it does not offer FLUSH any more"],
  [
    "its minimum block size, to a larger one",
    { minimumBlockBytes: 512 },
    { minimumBlockBytes: 4096 },
    "its minimum block size is 4096, not 512",
  ],
  [
    "its maximum payload, to a smaller one",
    { maximumPayloadBytes: 131_072 },
    { maximumPayloadBytes: 65_536 },
    "its maximum payload is 65536, not 131072",
  ],
];

describe("strangeness", () => {
  it.each(SAME)("does not mind when a server changed %s", (_name, known, found) => {
    expect(strangeness(geometry(known), geometry(found), NEEDS)).toBeUndefined();
  });

  it.each(STRANGE)("refuses a server that changed %s", (_name, known, found, why) => {
    expect(strangeness(geometry(known), geometry(found), NEEDS)).toEqual(new StrangeExport(why));
  });

  it("does not mind another size where any will do, but everything else", () => {
    for (const [, known, found, why] of STRANGE) {
      const strange = strangeness(geometry(known), geometry(found), { ...NEEDS, anySize: true });
      expect(strange).toEqual(found.sizeBytes === undefined ? new StrangeExport(why) : undefined);
    }
  });

  it("refuses a server without a context that somebody uses", () => {
    const found = geometry({ contexts: ["base:allocation", "x-a:b"] });
    const objection = (...contexts: string[]) => strangeness(geometry(), found, { anySize: true, contexts });
    expect([objection("x-a:b"), objection("x-a:b", "base:allocation", "x-a:b")]).toEqual([undefined, undefined]);
    expect(objection("x-a:b", "x-a:c")).toEqual(new StrangeExport('it has no metadata context "x-a:c" any more'));
  });
});

describe("sameContexts", () => {
  it("does not mind the order, and minds everything else", () => {
    const have = ["a:1", "a:2"];
    const others = [["a:1", "a:2"], ["a:2", "a:1"], ["a:1"], ["a:1", "a:3"], ["a:1", "a:2", "a:3"], []];
    expect(others.map((other) => sameContexts(have, other))).toEqual([true, true, false, false, false, false]);
  });
});
