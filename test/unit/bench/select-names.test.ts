import { describe, expect, it } from "vitest";

import { selectNames } from "../../../bench/select-names.ts";

const names = ["read-d1", "read-d16", "write-d1"];

describe("selectNames", () => {
  it("takes all when nothing is asked for", () => {
    expect(selectNames(names, [])).toEqual(names);
  });

  it("compares whole words", () => {
    expect(selectNames(names, ["read-d1"])).toEqual(["read-d1"]);
    expect(selectNames(names, ["d1"])).toEqual(["read-d1", "write-d1"]);
    expect(selectNames(["proxy", "proxy cached", "proxying"], ["proxy"])).toEqual(["proxy", "proxy cached"]);
  });

  it("takes just the one name behind an equals sign", () => {
    expect(selectNames(["proxy", "proxy cached"], ["=proxy"])).toEqual(["proxy"]);
    expect(() => selectNames(names, ["=read"])).toThrow('"=read" is none of');
  });

  it("takes all that any pattern means, each once and in their own order", () => {
    expect(selectNames(names, ["write", "d1"])).toEqual(["read-d1", "write-d1"]);
    expect(selectNames(names, ["write", "read-d16"])).toEqual(["read-d16", "write-d1"]);
  });

  it("tells what there is when a pattern means nothing", () => {
    expect(() => selectNames(names, ["read", "trim"])).toThrow('"trim" is none of read-d1, read-d16, write-d1');
  });
});
