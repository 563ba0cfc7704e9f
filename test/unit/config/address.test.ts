import { describe, expect, it } from "vitest";

import { parseBindAddress, parseListenAddress, parseServerAddress } from "../../../src/config/address.ts";
import { BadValue } from "../../../src/config/bad-value.ts";

const IP_ADDRESSES = ["127.0.0.1", "0.0.0.0", "::", "::1", "2001:db8::7", "::ffff:192.0.2.1"];

describe.each([
  ["parseListenAddress", parseListenAddress],
  ["parseServerAddress", parseServerAddress],
])("%s", (_name, parse) => {
  it.each(IP_ADDRESSES)("takes %s", (host) => {
    expect(parse(host)).toEqual({ kind: "host", host });
  });

  it("takes localhost, and IPv6 in the brackets of URIs", () => {
    expect(parse("localhost")).toEqual({ kind: "host", host: "localhost" });
    expect(parse("[::1]")).toEqual({ kind: "host", host: "::1" });
  });

  it("takes what begins with a slash as a path of up to 107 bytes", () => {
    expect(parse("/run/disk.sock")).toEqual({ kind: "unix", path: "/run/disk.sock" });
    const longest = `/${"é".repeat(53)}`;
    expect(parse(longest)).toEqual({ kind: "unix", path: longest });
    expect(() => parse(`${longest}x`)).toThrow(/108 bytes.*107/);
  });

  it.each(["", " ", "10.1", "256.0.0.1", "1.2.3.4:80", "[127.0.0.1]", "[::1", ":::", "nbd://host", "a b", "/a\0b"])(
    "refuses %j",
    (text) => {
      expect(() => parse(text)).toThrow(BadValue);
    },
  );
});

describe("parseListenAddress", () => {
  it("refuses a host name: which of its addresses would it be?", () => {
    expect(() => parseListenAddress("storage.example")).toThrow(BadValue);
  });
});

describe("parseServerAddress", () => {
  it.each(["storage", "storage.example", "nbd-1.example.", "under_score"])("takes the host name %s", (host) => {
    expect(parseServerAddress(host)).toEqual({ kind: "host", host });
  });

  it.each(["-x", "x-.example", "a..b", ".", `${"a".repeat(64)}.example`, `${"a.".repeat(130)}b`])(
    "refuses %s, which no name server can know",
    (host) => {
      expect(() => parseServerAddress(host)).toThrow(BadValue);
    },
  );
});

describe("parseBindAddress", () => {
  it("takes IP addresses and nothing else", () => {
    for (const host of IP_ADDRESSES) expect(parseBindAddress(host)).toBe(host);
    expect(parseBindAddress("[::1]")).toBe("::1");
    for (const text of ["localhost", "eth0", "/run/x.sock", ""]) {
      expect(() => parseBindAddress(text)).toThrow(BadValue);
    }
  });
});
