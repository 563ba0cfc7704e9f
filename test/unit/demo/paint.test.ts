import { describe, expect, it } from "vitest";
import { paintFor } from "../../../src/demo/paint.ts";

describe("colours", () => {
  it("are there on a terminal", () => {
    expect(paintFor(true, {})("green", "good")).toBe("\x1b[32mgood\x1b[39m");
  });

  it("are not there in a pipe", () => {
    expect(paintFor(false, {})("green", "good")).toBe("good");
  });

  it("are not there with NO_COLOR, unless it is empty", () => {
    expect(paintFor(true, { NO_COLOR: "1" })("red", "bad")).toBe("bad");
    expect(paintFor(true, { NO_COLOR: "" })("red", "bad")).toBe("\x1b[31mbad\x1b[39m");
  });
});
