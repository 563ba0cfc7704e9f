import { describe, expect, it } from "vitest";

import { badSetting, missingSetting, unlessOverruled } from "../../../src/config/setting.ts";
import type { Setting } from "../../../src/config/setting.ts";

const typed: Setting<number> = { value: 1, text: "1", label: "--one", origin: "command line" };
const inherited: Setting<number> = { value: 2, text: "2", label: "FLEXNBD_TWO", origin: "environment" };

describe("unlessOverruled", () => {
  it("drops what stands in the environment for its rival on the command line, and nothing else", () => {
    expect(unlessOverruled(inherited, typed)).toBeUndefined();
    expect(unlessOverruled(typed, inherited)).toBe(typed);
    expect(unlessOverruled(typed, typed)).toBe(typed);
    expect(unlessOverruled(inherited, inherited)).toBe(inherited);
    expect(unlessOverruled(inherited, undefined)).toBe(inherited);
    expect(unlessOverruled(undefined, typed)).toBeUndefined();
  });
});

describe("the errors about settings", () => {
  it("name the option as the user did, and the value", () => {
    expect(badSetting(inherited, "is odd")).toMatchObject({
      name: "UsageError",
      message: 'FLEXNBD_TWO: "2" is odd',
      option: "FLEXNBD_TWO",
      value: "2",
    });
    expect(missingSetting("--port", "give one")).toMatchObject({ option: "--port", value: undefined });
  });

  it("show no control characters to the terminal", () => {
    expect(badSetting({ ...typed, text: "\u001b[2J" }, "is odd").message).toBe('--one: "\\u001b[2J" is odd');
  });
});
