import { describe, expect, it } from "vitest";

import { parsePlotOptions, pictureFile } from "../../../../bench/plot/plot-options.ts";

function parse(...argv: readonly string[]) {
  return parsePlotOptions(argv, { out: () => {}, error: () => {} });
}

describe("parsePlotOptions", () => {
  it("puts pictures beside the report, or where it is told to", () => {
    expect(parse("results/a.json")).toEqual({ file: "results/a.json", out: "results" });
    expect(parse("results/a.json", "--out", "elsewhere")).toEqual({ file: "results/a.json", out: "elsewhere" });
  });

  it.each([
    [[], "missing required argument"],
    [["a", "b"], "too many arguments"],
    [["a", "--png"], "unknown option"],
  ])("refuses %j", (argv, message) => {
    expect(() => parse(...argv)).toThrow(message);
  });
});

describe("pictureFile", () => {
  it("is named after report, trial and chart", () => {
    expect(pictureFile(parse("results/a.b.json"), "scale", "read-4k-d4")).toBe("results/a.b-scale-read-4k-d4.svg");
  });
});
