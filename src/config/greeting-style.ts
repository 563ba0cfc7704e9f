import type { GreetingStyle } from "../protocol/greeting-style.ts";
import { BadValue } from "./bad-value.ts";

/** Parses how clients are greeted. Throws BadValue. */
export function parseGreetingStyle(text: string): GreetingStyle {
  switch (text) {
    case "auto":
    case "oldstyle":
    case "newstyle":
      return text;
    default:
      throw new BadValue("is not a kind of handshake: auto, oldstyle or newstyle");
  }
}
