import { describe, expect, it } from "vitest";

import { parseAddressRange } from "../../../src/config/address-range.ts";
import { NodeAddressFilter } from "../../../src/transport/node-address-filter.ts";

function filter(...ranges: readonly string[]): NodeAddressFilter["admits"] {
  return new NodeAddressFilter(ranges.map(parseAddressRange)).admits;
}

describe("NodeAddressFilter", () => {
  it("lets everybody in who comes from anywhere when there are no ranges", () => {
    const admits = filter();
    for (const address of ["192.0.2.1", "2001:db8::1", "", undefined]) expect(admits(address)).toBe(true);
  });

  it.each([
    ["192.0.2.0/24", "192.0.2.0", true],
    ["192.0.2.0/24", "192.0.2.255", true],
    ["192.0.2.0/24", "192.0.3.0", false],
    ["192.0.2.0/24", "192.0.1.255", false],
    ["192.0.2.7/24", "192.0.2.200", true],
    ["192.0.2.0/23", "192.0.3.255", true],
    ["192.0.2.16/28", "192.0.2.32", false],
    ["192.0.2.7", "192.0.2.7", true],
    ["192.0.2.7", "192.0.2.70", false],
    ["192.0.2.7", "192.0.2.8", false],
    ["0.0.0.0/0", "203.0.113.9", true],
    ["2001:db8::/32", "2001:db8:ffff::1", true],
    ["2001:db8::/32", "2001:db9::1", false],
    ["2001:db8::1", "2001:db8::1", true],
    ["2001:db8::1", "2001:db8:0:0:0:0:0:1", true],
    ["2001:db8::1", "2001:db8::10", false],
    ["2001:db8::/127", "2001:db8::1", true],
    ["2001:db8::/127", "2001:db8::2", false],
    ["fe80::/10", "fe80::1%eth0", true],
    ["192.0.2.0/24", "2001:db8::1", false],
    ["2001:db8::/32", "192.0.2.1", false],
  ])("with %s, of a client from %s says %s", (range, address, admitted) => {
    expect(filter(range)(address)).toBe(admitted);
  });

  it("knows an IPv4 client of an IPv6 listener, whose address is mapped", () => {
    const admits = filter("192.0.2.0/24");
    expect(admits("::ffff:192.0.2.9")).toBe(true);
    expect(admits("::ffff:c000:209")).toBe(true);
    expect(admits("::ffff:198.51.100.9")).toBe(false);
  });

  it("lets in who is in any of the ranges", () => {
    const admits = filter("192.0.2.7", "198.51.100.0/24", "2001:db8::/32");
    const addresses = ["192.0.2.7", "198.51.100.1", "2001:db8::5", "192.0.2.8", "203.0.113.1", "2001:db9::5"];
    expect(addresses.map(admits)).toEqual([true, true, true, false, false, false]);
  });

  it("does not compare prefixes of text", () => {
    expect(["192.0.2.10", "192.0.2.100", "1192.0.2.1"].map(filter("192.0.2.1"))).toEqual([false, false, false]);
  });

  it.each(["", "localhost", "192.0.2", "192.0.2.7 ", "192.0.2.7/24", "::ffff:192.0.2.300"])(
    "lets nobody in whose address is no address, like %j",
    (address) => {
      expect(filter("0.0.0.0/0", "::/0")(address)).toBe(false);
    },
  );

  it("lets clients of a UNIX socket in, whose permissions decide", () => {
    expect(filter("192.0.2.7")(undefined)).toBe(true);
  });
});
