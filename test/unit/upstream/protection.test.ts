import { describe, expect, it } from "vitest";

import { TRANSMISSION_FLAG } from "../../../src/protocol/constants.ts";
import { protection } from "../../../src/upstream/protection.ts";
import { geometry } from "../support/held-disk.ts";
import { ALL_FLAGS } from "../support/negotiation.ts";

const { READ_ONLY, SEND_FLUSH, SEND_FUA } = TRANSMISSION_FLAG;

describe("protection", () => {
  it.each(["log", "fua", "off"] as const)("is what was wanted where the server offers FLUSH: %s", (wanted) => {
    expect(protection(wanted, geometry())).toEqual({ unflushed: wanted, because: undefined });
    const poor = geometry({ flags: ALL_FLAGS & ~SEND_FUA });
    expect(protection(wanted, poor)).toEqual({ unflushed: wanted, because: undefined });
  });

  it.each(["log", "fua"] as const)("is none, and says why, where nothing is volatile: %s", (wanted) => {
    expect(protection(wanted, geometry({ flags: ALL_FLAGS & ~SEND_FLUSH }))).toEqual({
      unflushed: "off",
      because: "it offers no FLUSH, so that what it acknowledges is stable",
    });
    expect(protection(wanted, geometry({ flags: ALL_FLAGS | READ_ONLY }))).toEqual({
      unflushed: "off",
      because: "it is read-only",
    });
  });

  it("has nothing to say where none was wanted", () => {
    for (const flags of [ALL_FLAGS, ALL_FLAGS & ~SEND_FLUSH, ALL_FLAGS | READ_ONLY]) {
      expect(protection("off", geometry({ flags }))).toEqual({ unflushed: "off", because: undefined });
    }
  });
});
