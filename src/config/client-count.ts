import { LIMITS } from "../limits.ts";
import { BadValue } from "./bad-value.ts";

/** Parses how many clients are served at once: one or more, up to a limit. Throws BadValue. */
export function parseClientCount(text: string): number {
  const count = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(count >= 1 && count <= LIMITS.servedClients)) {
    throw new BadValue(`is not a number of clients, 1 to ${LIMITS.servedClients}`);
  }
  return count;
}
