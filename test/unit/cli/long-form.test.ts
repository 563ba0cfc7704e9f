import { describe, expect, it } from "vitest";

import { detachedFrom, longForm } from "../../../src/cli/long-form.ts";

describe("longForm", () => {
  it.each([
    [["-p=1234"], ["--port=1234"]],
    [["-vp=1234"], ["-v", "--port=1234"]],
    [["-c"], ["--cache=4096"]],
    [["--cache"], ["--cache=4096"]],
    [["-qvc"], ["-qv", "--cache=4096"]],
    [["-c="], ["--cache="]],
    [
      ["-c", "8192"],
      ["--cache=4096", "8192"],
    ],
  ])("makes %j into %j", (argv, expected) => {
    expect(longForm("proxy", argv)).toEqual(expected);
  });

  it.each([
    [["-v", "-vq", "-p1234", "-Chost", "-Chost=c", "-c8192", "--cache=8192"]],
    [["--export", "-c", "--export", "--cache", "-b", "-p=1", "-vb", "-p=1", "--upstream", "-c"]],
    [["--", "-c", "--cache", "-p=1"]],
    [["-x=1", "-xc", "-=1", "-", "c", ""]],
  ])("leaves %j as it is", (argv) => {
    expect(longForm("proxy", argv)).toEqual(argv);
  });

  it("knows only the options of the command", () => {
    expect(longForm("serve", ["-c", "-C=x", "-p=1"])).toEqual(["-c", "-C=x", "--port=1"]);
  });
});

describe("detachedFrom", () => {
  it("finds the option that a word was meant for", () => {
    for (const name of ["--cache", "-c", "-vc"]) {
      expect(detachedFrom("proxy", [name, "8192"], "8192")?.long).toBe("cache");
    }
  });

  it("finds none where the word stands behind something else", () => {
    expect(detachedFrom("proxy", ["--cache", "-v", "8192"], "8192")).toBeUndefined();
    expect(detachedFrom("proxy", ["--cache=1", "8192"], "8192")).toBeUndefined();
    expect(detachedFrom("proxy", ["-p", "8192", "-v", "8192"], "8192")).toBeUndefined();
    expect(detachedFrom("serve", ["-c", "8192"], "8192")).toBeUndefined();
  });
});
