import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { NbdUriError, parseNbdUri } from "../../../src/protocol/nbd-uri.ts";
import { isProtocolText } from "../../../src/protocol/option-text.ts";

const tcp = (host: string, port: number, exportName: string) => ({ endpoint: { kind: "tcp", host, port }, exportName });
const unix = (path: string, exportName: string) => ({ endpoint: { kind: "unix", path }, exportName });

describe("parseNbdUri", () => {
  it.each([
    ["nbd://example.com", tcp("example.com", 10809, "")],
    ["nbd://example.com/", tcp("example.com", 10809, "")],
    ["nbd://example.com/disk", tcp("example.com", 10809, "disk")],
    ["nbd://example.com//disk", tcp("example.com", 10809, "/disk")],
    ["nbd://example.com/a/../b/", tcp("example.com", 10809, "a/../b/")],
    ["nbd://example.com/hello%20world", tcp("example.com", 10809, "hello world")],
    ["nbd://example.com/a+b%2Fc%23%3f%25", tcp("example.com", 10809, "a+b/c#?%")],
    ["nbd://example.com/gr%C3%B6%C3%9Fe", tcp("example.com", 10809, "größe")],
    ["nbd://example.com/größe", tcp("example.com", 10809, "größe")],
    ["nbd://example.com/a:b@c", tcp("example.com", 10809, "a:b@c")],
    ["NBD://example.com:65535/x", tcp("example.com", 65535, "x")],
    ["nbd://10.0.0.1:1/x", tcp("10.0.0.1", 1, "x")],
    ["nbd://example.com:/x", tcp("example.com", 10809, "x")],
    ["nbd://example.com/x?", tcp("example.com", 10809, "x")],
    ["nbd://[::1]", tcp("::1", 10809, "")],
    ["nbd://[2001:db8::1]:10810/x", tcp("2001:db8::1", 10810, "x")],
    ["nbd://[::ffff:10.0.0.1]/x", tcp("::ffff:10.0.0.1", 10809, "x")],
    ["nbd://[fe80::1%25eth0]:99/x", tcp("fe80::1%eth0", 99, "x")],
    ["nbd+unix:///?socket=/run/nbd.sock", unix("/run/nbd.sock", "")],
    ["nbd+unix://?socket=nbd.sock", unix("nbd.sock", "")],
    ["nbd+unix:///disk?socket=/tmp/a%20b%26c=d", unix("/tmp/a b&c=d", "disk")],
    ["nbd+unix:////disk?socket=/s&", unix("/s", "/disk")],
    ["nbd+unix:///?socket=%00/abstract", unix("\0/abstract", "")],
  ])("reads %s", (text, expected) => {
    expect(parseNbdUri(text)).toEqual(expected);
  });

  it.each([
    ["", "must look like nbd://"],
    ["example.com", "must look like nbd://"],
    ["/run/nbd.sock", "must look like nbd://"],
    ["nbd:example.com", "must look like nbd://"],
    ["nbd:/example.com", "must look like nbd://"],
    ["http://example.com/", 'scheme "http" is not supported'],
    ["nbd+vsock://1/", 'scheme "nbd+vsock" is not supported'],
    ["nbds://example.com/", "nbds: needs TLS"],
    ["nbds+unix:///?socket=/s", "nbds+unix: needs TLS"],
    ["nbd://alice@example.com/", "user name needs TLS"],
    ["nbd:///disk", "no host"],
    ["nbd://", "no host"],
    ["nbd://:10809/disk", "no host"],
    ["nbd://[]/disk", "no host"],
    ["nbd://::1/disk", "[brackets]"],
    ["nbd://[::1/disk", "[brackets]"],
    ["nbd://[::1]x/disk", "[brackets]"],
    ["nbd://host:port/disk", "[brackets]"],
    ["nbd://[example.com]/disk", "no IPv6 address"],
    ["nbd://[1:2]/disk", "no IPv6 address"],
    ["nbd://[::1%25]/disk", "no IPv6 address"],
    ["nbd://%2Frun%2Fnbd.sock/disk", "a character that no host has"],
    ["nbd://a%0Ab/disk", 'the host "a\\nb"'],
    ["nbd://a%zz/disk", "the host is not percent-encoded"],
    ["nbd://host:0/", "the port 0 is not between"],
    ["nbd://host:65536/", "the port 65536 is not between"],
    ["nbd://host:99999999999999999999999/", "is not between"],
    ["nbd://host/a b", '" " must be written as %20'],
    ["nbd://host/a#b", '"#" must be written as %23'],
    ["nbd://host/a\n", '"\\n" must be written as %0A'],
    ["nbd://host/%", "the export name is not percent-encoded"],
    ["nbd://host/%ff", "the export name is not percent-encoded"],
    ["nbd://host/a%00", "contains NUL"],
    [`nbd://host/${"a".repeat(4097)}`, "longer than 4096"],
    ["nbd://host/?socket=/s", 'parameter "socket" is not supported'],
    ["nbd://host/?tls-type=psk", 'parameter "tls-type" is not supported'],
    ["nbd+unix:///disk", "needs ?socket=PATH"],
    ["nbd+unix:///disk?sock=/s", 'parameter "sock" is not supported'],
    ["nbd+unix:///disk?socket=/s&x-y=1", 'parameter "x-y" is not supported'],
    ["nbd+unix:///disk?socket=/s&socket=/t", "given twice"],
    ["nbd+unix:///disk?socket=", "path is empty"],
    ["nbd+unix:///disk?socket", "path is empty"],
    ["nbd+unix:///disk?socket=%00", "path is empty"],
    ["nbd+unix:///disk?socket=/a%00b", "path contains NUL"],
    ["nbd+unix:///disk?socket=%ff", 'the parameter "socket" is not percent-encoded'],
    ["nbd+unix:///disk?%ff=1", "a parameter is not percent-encoded"],
    ["nbd+unix://run/nbd.sock", "begin with nbd+unix:///"],
  ])("says what is wrong with %j", (text, what) => {
    expect(() => parseNbdUri(text)).toThrow(NbdUriError);
    expect(() => parseNbdUri(text)).toThrow(what);
  });

  const texts = fc
    .string({ unit: fc.oneof(fc.constantFrom("/", "%", "?", "&", "=", "#", "ä", " ", "\n", "+", "💾"), fc.string()) })
    .map((text) => Buffer.from(text).toString())
    .filter(isProtocolText);

  it("reads back any export name", () => {
    fc.assert(
      fc.property(texts, fc.integer({ min: 1, max: 65535 }), (name, port) => {
        expect(parseNbdUri(`nbd://host:${port}/${encodeURIComponent(name)}`)).toEqual(tcp("host", port, name));
        const slashes = encodeURIComponent(name).replaceAll("%2F", "/");
        expect(parseNbdUri(`nbd://host:${port}/${slashes}`)).toEqual(tcp("host", port, name));
      }),
    );
  });

  it("reads back any socket path", () => {
    fc.assert(
      fc.property(texts, texts, (path, name) => {
        fc.pre(path !== "");
        const text = `nbd+unix:///${encodeURIComponent(name)}?socket=${encodeURIComponent(path)}`;
        expect(parseNbdUri(text)).toEqual(unix(path, name));
      }),
    );
  });

  it("returns a URI or throws NbdUriError with one printable line, whatever it is given", () => {
    const pieces = fc.constantFrom(
      "nbd",
      "+unix",
      "s",
      ":",
      "//",
      "/",
      "[",
      "]",
      "::1",
      "@",
      "?",
      "socket=",
      "&",
      "%",
      "%41",
    );
    fc.assert(
      fc.property(fc.string({ unit: fc.oneof(pieces, fc.string({ unit: "binary" })), maxLength: 12 }), (text) => {
        try {
          const { endpoint, exportName } = parseNbdUri(text);
          expect(endpoint.kind === "tcp" ? endpoint.host : endpoint.path).not.toBe("");
          expect(isProtocolText(exportName)).toBe(true);
        } catch (error) {
          expect(error).toBeInstanceOf(NbdUriError);
          expect(String(error)).not.toMatch(/\p{Cc}/u);
        }
      }),
      { numRuns: 2000 },
    );
  });
});
