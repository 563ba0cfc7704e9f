import { escapeText } from "./escape-bytes.ts";

/** How much of a client's name comes back to it in an error text. */
const ECHOED_NAME_LENGTH = 64;

/** Says that there is no export of the name that a client gave. */
export function unknownExport(name: string): string {
  return `there is no export "${escapeText(name, ECHOED_NAME_LENGTH)}"`;
}
