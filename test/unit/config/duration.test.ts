import { describe, expect, it } from "vitest";

import { BadValue } from "../../../src/config/bad-value.ts";
import { parseDuration, parseDurationOrForever, parseReconnectInterval } from "../../../src/config/duration.ts";

describe("parseDuration", () => {
  it.each([
    ["5", 5000],
    ["0", 0],
    ["250ms", 250],
    ["1.5s", 1500],
    ["0.25", 250],
    ["2m", 120_000],
    ["2147483647ms", 2_147_483_647],
  ])("reads %s as %d ms", (text, durationMs) => {
    expect(parseDuration(text)).toBe(durationMs);
  });

  it.each(["", "s", "-1", "5h", "5 s", "5S", ".5", "5.", "1e3", "forever", "NaN", "2147483648ms", "25000000"])(
    "refuses %j",
    (text) => {
      expect(() => parseDuration(text)).toThrow(BadValue);
    },
  );
});

describe("parseDurationOrForever", () => {
  it("reads forever as no end, and anything else as a duration", () => {
    expect(parseDurationOrForever("forever")).toBeUndefined();
    expect(parseDurationOrForever("10s")).toBe(10_000);
  });

  it("tells of forever when it refuses", () => {
    expect(() => parseDurationOrForever("never")).toThrow(/duration.*forever/);
  });
});

describe("parseReconnectInterval", () => {
  it("refuses less than the pause between the first attempts", () => {
    expect(parseReconnectInterval("100ms")).toBe(100);
    expect(() => parseReconnectInterval("99ms")).toThrow(/shortest is 100ms/);
  });
});
