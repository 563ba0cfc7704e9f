import { isProtocolText } from "../protocol/option-text.ts";
import { BadValue } from "./bad-value.ts";

/** Parses an export's name: any text that fits into the protocol, "" being the default export. Throws BadValue. */
export function parseExportName(text: string): string {
  if (!isProtocolText(text)) throw new BadValue("is longer than 4096 bytes or contains a NUL");
  return text;
}
