import { describe, expect, it } from "vitest";

import { logLevel } from "../../../src/config/log-level.ts";

describe("logLevel", () => {
  it("is for warnings when nothing is asked for, whatever the debug switch says", () => {
    expect(logLevel([], false)).toBe("warning");
    expect(logLevel([], true)).toBe("warning");
  });

  it("is for the last of the flags", () => {
    expect(logLevel(["quiet", "verbose"], false)).toBe("info");
    expect(logLevel(["verbose", "quiet"], false)).toBe("fatal");
  });

  it("is for debug messages only when verbose and debug come together", () => {
    expect(logLevel(["verbose"], true)).toBe("debug");
    expect(logLevel(["verbose", "quiet"], true)).toBe("fatal");
  });
});
