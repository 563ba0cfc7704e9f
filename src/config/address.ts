import { isIP } from "node:net";

import { BadValue } from "./bad-value.ts";
import { LIMITS } from "../limits.ts";

/** One half of an endpoint: a TCP host that still needs a port, or the path of a UNIX domain socket. */
export type Address =
  | { readonly kind: "host"; readonly host: string }
  | { readonly kind: "unix"; readonly path: string };

/** Parses where to listen: a path that begins with `/`, an IPv4 or IPv6 address, or `localhost`. Throws BadValue. */
export function parseListenAddress(text: string): Address {
  if (text.startsWith("/")) return { kind: "unix", path: parseSocketPath(text) };
  const host = withoutBrackets(text);
  if (isIP(host) === 0 && host !== "localhost") {
    throw new BadValue("is neither an IPv4 or IPv6 address nor the path of a UNIX socket, which begins with '/'");
  }
  return { kind: "host", host };
}

/** Parses where a server is: a path that begins with `/`, an IPv4 or IPv6 address, or a host name. Throws BadValue. */
export function parseServerAddress(text: string): Address {
  if (text.startsWith("/")) return { kind: "unix", path: parseSocketPath(text) };
  const host = withoutBrackets(text);
  if (isIP(host) === 0 && !isHostName(host)) {
    throw new BadValue("is neither a host name, an IPv4 or an IPv6 address nor the path of a UNIX socket");
  }
  return { kind: "host", host };
}

/** Parses a local address to connect from: IPv4 or IPv6. Throws BadValue. */
export function parseBindAddress(text: string): string {
  const host = withoutBrackets(text);
  if (isIP(host) === 0) throw new BadValue("is not an IPv4 or IPv6 address");
  return host;
}

/** Refuses the path of a UNIX domain socket that is longer than the system can take. Throws BadValue. */
export function checkSocketPathLength(path: string): void {
  const sizeBytes = Buffer.byteLength(path);
  if (sizeBytes <= LIMITS.socketPathBytes) return;
  throw new BadValue(`has ${sizeBytes} bytes; the path of a UNIX socket has ${LIMITS.socketPathBytes} at most`);
}

function parseSocketPath(text: string): string {
  checkSocketPathLength(text);
  if (text.includes("\0")) throw new BadValue("contains a NUL");
  return text;
}

/** IPv6 addresses are often written as in URIs. */
function withoutBrackets(text: string): string {
  const inside = /^\[(?<host>[^\]]*)\]$/.exec(text)?.groups?.["host"];
  return inside !== undefined && isIP(inside) === 6 ? inside : text;
}

function isHostName(text: string): boolean {
  if (text.length > 253) return false;
  const labels = text.replace(/\.$/, "").split(".");
  // A name that ends in a number is a mistyped IPv4 address, of which resolvers make strange things: "10.1" is 10.0.0.1.
  if (/^\d+$/.test(labels.at(-1) ?? "")) return false;
  return labels.every((label) => /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/i.test(label));
}
