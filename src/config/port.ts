import { BadValue } from "./bad-value.ts";

/** Parses a TCP port to connect to, 1 to 65535. Throws BadValue. */
export function parseServerPort(text: string): number {
  return parsePort(text, 1);
}

/** Parses a TCP port to listen on, 0 to 65535; with 0 the system chooses one. Throws BadValue. */
export function parseListenPort(text: string): number {
  return parsePort(text, 0);
}

function parsePort(text: string, lowest: number): number {
  const port = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(port >= lowest && port <= 65_535)) throw new BadValue(`is not a port number, ${lowest} to 65535`);
  return port;
}
