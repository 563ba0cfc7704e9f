import { describe, expect, it } from "vitest";

import { BadValue } from "../../../src/config/bad-value.ts";
import { parseListenPort, parseServerPort } from "../../../src/config/port.ts";

describe("ports", () => {
  it("lets a listener leave the choice to the system, but not a server", () => {
    expect(parseListenPort("0")).toBe(0);
    expect(() => parseServerPort("0")).toThrow(BadValue);
  });

  it.each([parseListenPort, parseServerPort])("go from 1 to 65535", (parse) => {
    expect(parse("1")).toBe(1);
    expect(parse("65535")).toBe(65_535);
  });

  it.each(["65536", "-1", "", "http", "80.0", "0x50", "+80", " 80", "1e2", "99999999999999999999"])(
    "are not %j",
    (text) => {
      expect(() => parseListenPort(text)).toThrow(BadValue);
      expect(() => parseServerPort(text)).toThrow(BadValue);
    },
  );
});
