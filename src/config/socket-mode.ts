import { BadValue } from "./bad-value.ts";

/** Parses the permission bits of a UNIX socket, in octal: `0600`, `660`. Throws BadValue. */
export function parseSocketMode(text: string): number {
  if (!/^0*[0-7]{1,3}$/.test(text)) throw new BadValue("is not an octal mode, like 0600 or 0660");
  return Number.parseInt(text, 8);
}
