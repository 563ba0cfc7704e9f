import { describe, expect, it } from "vitest";

import { parseAddressRange } from "../../../src/config/address-range.ts";
import { BadValue } from "../../../src/config/bad-value.ts";

describe("parseAddressRange", () => {
  it.each([
    ["192.0.2.7", "192.0.2.7", 32],
    ["2001:db8::7", "2001:db8::7", 128],
    ["192.0.2.0/24", "192.0.2.0", 24],
    ["2001:db8::/32", "2001:db8::", 32],
    ["0.0.0.0/0", "0.0.0.0", 0],
    ["::/0", "::", 0],
    ["10.0.0.0/08", "10.0.0.0", 8],
    ["192.0.2.7/32", "192.0.2.7", 32],
    ["::ffff:192.0.2.0/120", "::ffff:192.0.2.0", 120],
  ])("reads %s", (text, address, prefixBits) => {
    expect(parseAddressRange(text)).toEqual({ address, prefixBits });
  });

  it("takes an address with bits behind the prefix for the range that it is in", () => {
    expect(parseAddressRange("192.0.2.7/24")).toEqual({ address: "192.0.2.7", prefixBits: 24 });
  });

  it.each([
    "",
    "/",
    "/24",
    "192.0.2.0/33",
    "192.0.2.0/",
    "192.0.2.0/-1",
    "192.0.2.0/24/24",
    "192.0.2.0/255.255.255.0",
    "192.0.2.0/2 4",
    "192.0.2/24",
    "192.0.2.0-192.0.2.9",
    "2001:db8::/129",
    "[::1]/128",
    "fe80::1%eth0",
    "storage.example",
    "localhost",
    "/run/disk.sock",
    "192.0.2.1\n",
  ])("refuses %j", (text) => {
    expect(() => parseAddressRange(text)).toThrow(BadValue);
  });
});
