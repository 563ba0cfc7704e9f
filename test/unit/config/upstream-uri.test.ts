import { describe, expect, it } from "vitest";

import { BadValue } from "../../../src/config/bad-value.ts";
import { parseUpstreamUri } from "../../../src/config/upstream-uri.ts";

describe("parseUpstreamUri", () => {
  it("reads server and export, with the port of NBD when there is none", () => {
    expect(parseUpstreamUri("nbd://storage.example/disk")).toEqual({
      endpoint: { kind: "tcp", host: "storage.example", port: 10_809 },
      exportName: "disk",
    });
  });

  it("reads the path of a UNIX socket", () => {
    expect(parseUpstreamUri("nbd+unix:///disk?socket=/run/nbd.sock")).toEqual({
      endpoint: { kind: "unix", path: "/run/nbd.sock" },
      exportName: "disk",
    });
  });

  it.each([
    "",
    "storage.example",
    "http://storage.example/",
    "nbd+unix:///disk",
    "nbd://h:99999/",
    "nbd://192.0.2.400/",
  ])("refuses %j", (text) => {
    expect(() => parseUpstreamUri(text)).toThrow(BadValue);
  });

  it("refuses a socket's path that the system cannot take", () => {
    expect(() => parseUpstreamUri(`nbd+unix:///?socket=/${"x".repeat(107)}`)).toThrow(/108 bytes/);
  });
});
