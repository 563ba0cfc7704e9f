import { BadValue } from "./bad-value.ts";

/** Parses the path of a file, which need not exist. Throws BadValue. */
export function parseFilePath(text: string): string {
  if (text === "" || text.includes("\0")) throw new BadValue("is not the path of a file");
  return text;
}
