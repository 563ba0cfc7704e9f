import { isIP } from "node:net";

import { BadValue } from "./bad-value.ts";

/** A range of IP addresses in CIDR notation, like 192.0.2.0/24 or 2001:db8::/32. */
export interface AddressRange {
  readonly address: string;
  readonly prefixBits: number;
}

/**
 * Parses an IPv4 or IPv6 address, which is a range of one, or a range in CIDR notation. Bits of the address behind the
 * prefix mean nothing: 192.0.2.7/24 is all of 192.0.2.0/24. Throws BadValue.
 */
export function parseAddressRange(text: string): AddressRange {
  const { address = "", prefix } = /^(?<address>[^/]*)(?:\/(?<prefix>.*))?$/s.exec(text)?.groups ?? {};
  const family = isIP(address);
  // A zone (fe80::1%eth0) is the name of an interface and no part of the addresses that are compared.
  if (family === 0 || address.includes("%")) {
    throw new BadValue("is not an IPv4 or IPv6 address or a range of them, like 192.0.2.0/24 or 2001:db8::/32");
  }
  const addressBits = family === 4 ? 32 : 128;
  if (prefix === undefined) return { address, prefixBits: addressBits };
  const prefixBits = /^\d{1,3}$/.test(prefix) ? Number(prefix) : Number.NaN;
  if (!(prefixBits <= addressBits)) {
    throw new BadValue(`does not end in the length of a prefix, /0 to /${addressBits} for this kind of address`);
  }
  return { address, prefixBits };
}
