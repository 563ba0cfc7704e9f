import { BlockList, isIP, isIPv6 } from "node:net";

/** A range of IP addresses; an IPv6 address or an IPv4 one, and how many of its leading bits count. */
interface Range {
  readonly address: string;
  readonly prefixBits: number;
}

/** Who may connect: everybody without ranges; else UNIX sockets, whose rights decide, and IP addresses in a range. */
export class NodeAddressFilter {
  readonly #allowed: BlockList | undefined;

  constructor(ranges: readonly Range[]) {
    if (ranges.length === 0) return;
    this.#allowed = new BlockList();
    for (const { address, prefixBits } of ranges) this.#allowed.addSubnet(address, prefixBits, familyOf(address));
  }

  /** Whether a client from this address is let in; undefined is a UNIX socket. */
  readonly admits = (address: string | undefined): boolean => {
    if (this.#allowed === undefined || address === undefined) return true;
    return isIP(address) !== 0 && this.#allowed.check(address, familyOf(address));
  };
}

function familyOf(address: string): "ipv4" | "ipv6" {
  return isIPv6(address) ? "ipv6" : "ipv4";
}
