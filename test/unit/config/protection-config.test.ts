import { describe, expect, it } from "vitest";

import { PROTECTION_DEFAULTS, protectionConfig } from "../../../src/config/protection-config.ts";
import type { ProtectionSettings } from "../../../src/config/protection-config.ts";
import { inherited, typed } from "./settings.ts";

const nothing: ProtectionSettings = {
  unflushed: undefined,
  unflushedLimit: undefined,
  linger: undefined,
  pin: undefined,
  fence: undefined,
  shared: undefined,
};
const shared: ProtectionSettings = { ...nothing, shared: typed("--shared", true as const) };

describe("protectionConfig", () => {
  it("keeps copies in 128 MiB, lingers and guards for a minute, and goes on at once, when nothing is asked for", () => {
    expect(protectionConfig(nothing)).toEqual({
      unflushed: "log",
      unflushedLimitBytes: 128 * 1024 ** 2,
      lingerMs: 60_000,
      pinMs: 60_000,
      fence: "none",
      shared: false,
    });
    expect(protectionConfig(nothing)).toEqual(PROTECTION_DEFAULTS);
  });

  it("takes over what is given", () => {
    const settings = {
      ...nothing,
      unflushed: typed("--unflushed", "fua" as const),
      unflushedLimit: inherited("FLEXNBD_UNFLUSHED_LIMIT", 2 ** 30),
      linger: typed("--linger", 0),
      pin: typed("--pin", 0),
      fence: inherited("FLEXNBD_FENCE", "strict" as const),
    };
    expect(protectionConfig(settings)).toEqual({
      unflushed: "fua",
      unflushedLimitBytes: 2 ** 30,
      lingerMs: 0,
      pinMs: 0,
      fence: "strict",
      shared: false,
    });
  });
});

describe("protectionConfig, with --shared", () => {
  const nothingKept = { ...PROTECTION_DEFAULTS, unflushed: "off", pinMs: 0, shared: true };

  it("keeps no copies and guards nothing", () => {
    expect(protectionConfig(shared)).toEqual(nothingKept);
  });

  it("takes over the other options", () => {
    const settings = {
      ...shared,
      unflushedLimit: typed("--unflushed-limit", 2 ** 30),
      linger: typed("--linger", 5000),
      fence: typed("--fence", "strict" as const),
    };
    expect(protectionConfig(settings)).toEqual({
      ...nothingKept,
      unflushedLimitBytes: 2 ** 30,
      lingerMs: 5000,
      fence: "strict",
    });
  });

  it("lets the same be said in other words", () => {
    const settings = { ...shared, unflushed: typed("--unflushed", "off" as const), pin: typed("--pin", 0) };
    expect(protectionConfig(settings)).toEqual(nothingKept);
  });

  it.each(["log", "fua"] as const)("refuses --unflushed %s", (mode) => {
    expect(() => protectionConfig({ ...shared, unflushed: typed("--unflushed", mode) })).toThrow(
      expect.objectContaining({
        name: "UsageError",
        option: "--unflushed",
        value: mode,
        message: `--unflushed: "${mode}" has no meaning: with --shared, unflushed writes are not protected`,
      }),
    );
  });

  it("refuses --pin, unless it is 0", () => {
    expect(() => protectionConfig({ ...shared, pin: typed("--pin", 1) })).toThrow(
      expect.objectContaining({
        name: "UsageError",
        option: "--pin",
        value: "1",
        message: '--pin: "1" has no meaning: with --shared, nothing is guarded against late requests',
      }),
    );
  });

  it("overrules what the environment says", () => {
    const settings = {
      ...shared,
      unflushed: inherited("FLEXNBD_UNFLUSHED", "log" as const),
      pin: inherited("FLEXNBD_PIN", 30_000),
    };
    expect(protectionConfig(settings)).toEqual(nothingKept);
  });
});
