import { DEFAULT_PORT } from "./constants.ts";
import { escapeText } from "./escape-bytes.ts";
import { isProtocolText } from "./option-text.ts";

/** Where an NBD URI points: a TCP host (IPv6 without brackets) and port or a UNIX socket, and an export there. */
export interface NbdUri {
  readonly endpoint:
    | { readonly kind: "tcp"; readonly host: string; readonly port: number }
    | { readonly kind: "unix"; readonly path: string };
  readonly exportName: string;
}

/** A text that is no NBD URI, or one that is not supported; the message says what is wrong with it. */
export class NbdUriError extends Error {
  override readonly name = "NbdUriError";
}

/** RFC 3986, appendix B: scheme, authority, path, query. */
const URI = /^([a-z][a-z0-9+.-]*):(?:\/\/([^/?]*))?([^?]*)(?:\?(.*))?$/i;

/** A host name, or an IPv6 address in brackets; then a port. */
const AUTHORITY = /^(?:\[([^[\]]*)\]|([^:[\]]*))(?::([0-9]*))?$/;

/** What can be an IPv6 address, with or without a zone; the resolver knows better. */
const IPV6 = /^(?=.*:.*:)[0-9a-f:.]+(?:%[\w.~-]+)?$/i;

/**
 * Reads `nbd://host[:port]/export` and `nbd+unix:///export?socket=PATH` (doc/uri.md of the protocol). A socket path
 * that begins with NUL (`%00`) is an abstract one. Throws NbdUriError.
 */
export function parseNbdUri(text: string): NbdUri {
  if (/\p{Cs}/u.test(text)) throw wrong("it contains half a character");
  const unsafe = /[\p{Cc}\s#]/u.exec(text)?.[0];
  if (unsafe !== undefined) throw wrong(`"${escapeText(unsafe)}" must be written as ${encodeURIComponent(unsafe)}`);
  const [, scheme, authority, path, query] = URI.exec(text) ?? [];
  if (scheme === undefined || authority === undefined || path === undefined) {
    throw wrong("it must look like nbd://HOST[:PORT]/EXPORT or nbd+unix:///EXPORT?socket=PATH");
  }
  const parameters = parseQuery(query);
  const exportName = parseExportName(path);
  switch (scheme.toLowerCase()) {
    case "nbd":
      rejectUnknown(parameters, []);
      return { endpoint: parseAuthority(authority), exportName };
    case "nbd+unix":
      if (authority !== "") {
        throw wrong(`"${escapeText(authority)}" stands where nbd+unix:// has nothing; begin with nbd+unix:///`);
      }
      rejectUnknown(parameters, ["socket"]);
      return { endpoint: { kind: "unix", path: parseSocket(parameters.get("socket")) }, exportName };
    case "nbds":
    case "nbds+unix":
      throw wrong(`${scheme}: needs TLS, which is not supported`);
    default:
      throw wrong(`the scheme "${escapeText(scheme)}" is not supported; use nbd or nbd+unix`);
  }
}

function parseAuthority(authority: string): NbdUri["endpoint"] {
  if (authority.includes("@")) throw wrong("a user name needs TLS, which is not supported");
  const [matched, bracketed, name, digits] = AUTHORITY.exec(authority) ?? [];
  if (matched === undefined) {
    throw wrong(`"${escapeText(authority)}" is no HOST[:PORT]; an IPv6 address stands in [brackets]`);
  }
  const host = decodePercent(bracketed ?? name ?? "", "the host");
  if (host === "") throw wrong("there is no host");
  if (bracketed !== undefined && !IPV6.test(host)) throw wrong(`"${escapeText(host)}" is no IPv6 address`);
  if (bracketed === undefined && /[\p{Cc}\s/\\:?#@[\]]/u.test(host)) {
    throw wrong(`the host "${escapeText(host)}" contains a character that no host has`);
  }
  return { kind: "tcp", host, port: parsePort(digits) };
}

/** An empty port is the default one, as RFC 3986 has it. */
function parsePort(digits: string | undefined): number {
  if (digits === undefined || digits === "") return DEFAULT_PORT;
  const port = Number(digits);
  if (port < 1 || port > 65_535) throw wrong(`the port ${escapeText(digits)} is not between 1 and 65535`);
  return port;
}

function parseExportName(path: string): string {
  const name = decodePercent(path.replace(/^\//, ""), "the export name");
  if (!isProtocolText(name)) throw wrong("the export name is longer than 4096 bytes or contains NUL");
  return name;
}

function parseSocket(path: string | undefined): string {
  if (path === undefined) throw wrong("nbd+unix needs ?socket=PATH");
  if (path === "" || path === "\0") throw wrong("the socket's path is empty");
  if (path.includes("\0", 1)) throw wrong("the socket's path contains NUL");
  return path;
}

function parseQuery(query: string | undefined): Map<string, string> {
  const parameters = new Map<string, string>();
  for (const pair of (query ?? "").split("&")) {
    if (pair === "") continue;
    const [, key, value] = /^([^=]*)=?(.*)$/.exec(pair) ?? [];
    const name = decodePercent(key ?? "", "a parameter");
    if (parameters.has(name)) throw wrong(`the parameter "${escapeText(name)}" is given twice`);
    parameters.set(name, decodePercent(value ?? "", `the parameter "${escapeText(name)}"`));
  }
  return parameters;
}

function rejectUnknown(parameters: ReadonlyMap<string, string>, known: readonly string[]): void {
  for (const name of parameters.keys()) {
    if (!known.includes(name)) throw wrong(`the parameter "${escapeText(name)}" is not supported here`);
  }
}

function decodePercent(text: string, what: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw wrong(`${what} is not percent-encoded UTF-8: "${escapeText(text)}"`);
  }
}

function wrong(what: string): NbdUriError {
  return new NbdUriError(what);
}
