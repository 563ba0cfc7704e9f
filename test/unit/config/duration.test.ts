import { describe, expect, it } from "vitest";

import { BadValue } from "../../../src/config/bad-value.ts";
import {
  parseDuration,
  parseDurationOrForever,
  parsePositiveDuration,
  parsePositiveDurationOrOff,
  parseReconnectInterval,
  parseWholeSeconds,
} from "../../../src/config/duration.ts";

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

describe("parsePositiveDuration", () => {
  it("refuses no time at all, also when it only rounds to nothing", () => {
    expect(parsePositiveDuration("1ms")).toBe(1);
    for (const text of ["0", "0ms", "0.4ms", "0.0001"]) expect(() => parsePositiveDuration(text)).toThrow(BadValue);
  });
});

describe("parsePositiveDurationOrOff", () => {
  it("reads off as never, and anything else as a positive duration", () => {
    expect(parsePositiveDurationOrOff("off")).toBeUndefined();
    expect(parsePositiveDurationOrOff("2s")).toBe(2000);
    expect(() => parsePositiveDurationOrOff("0")).toThrow(/too short.*off/);
    expect(() => parsePositiveDurationOrOff("forever")).toThrow(/duration.*off/);
  });
});

describe("parseWholeSeconds", () => {
  it.each([
    ["1", 1000],
    ["30", 30_000],
    ["030", 30_000],
  ])("reads %s as %d ms", (text, durationMs) => {
    expect(parseWholeSeconds(text)).toBe(durationMs);
  });

  it.each(["", "0", "00", "-1", "+1", "1.0", "1s", "1000ms", " 1", "1e1", "0x1", "25000000"])("refuses %j", (text) => {
    expect(() => parseWholeSeconds(text)).toThrow(BadValue);
  });
});

describe("parseReconnectInterval", () => {
  it("refuses less than the pause between the first attempts", () => {
    expect(parseReconnectInterval("100ms")).toBe(100);
    expect(() => parseReconnectInterval("99ms")).toThrow(/shortest is 100ms/);
  });
});
