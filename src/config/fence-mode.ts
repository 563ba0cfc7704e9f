import { BadValue } from "./bad-value.ts";

/** When to go on after a lost connection. `none`: at once; `strict`: only once the server itself has ended it. */
export type FenceMode = "none" | "strict";

/** Parses when to go on after a lost connection. Throws BadValue. */
export function parseFenceMode(text: string): FenceMode {
  switch (text) {
    case "none":
    case "strict":
      return text;
    default:
      throw new BadValue("is not a kind of fence: none or strict");
  }
}
