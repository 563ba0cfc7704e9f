import { LIMITS } from "../limits.ts";
import { BadValue } from "./bad-value.ts";

const UNIT_MS: Readonly<Record<string, number>> = { "": 1000, ms: 1, s: 1000, m: 60_000 };

/** What a timer of Node can wait; asked for more it does not wait at all. */
const LONGEST_MS = 2 ** 31 - 1;

/** Parses a duration into whole milliseconds: `250ms`, `1.5s`, `2m`; a bare number is seconds. Throws BadValue. */
export function parseDuration(text: string): number {
  const match = /^(?<count>\d+(?:\.\d+)?)(?<unit>ms|s|m|)$/.exec(text);
  const unitMs = UNIT_MS[match?.groups?.["unit"] ?? "none"];
  if (unitMs === undefined) throw new BadValue("is not a duration, like 5, 250ms, 1.5s or 2m");
  const durationMs = Math.round(Number(match?.groups?.["count"]) * unitMs);
  if (durationMs > LONGEST_MS) throw new BadValue("is too long a duration; the longest is 24 days");
  return durationMs;
}

/** Parses a duration, or `forever`, which is undefined. Throws BadValue. */
export function parseDurationOrForever(text: string): number | undefined {
  return text === "forever" ? undefined : withAlternative("forever", () => parseDuration(text));
}

/** Parses a duration that is not zero, in milliseconds. Throws BadValue. */
export function parsePositiveDuration(text: string): number {
  const durationMs = parseDuration(text);
  if (durationMs === 0) throw new BadValue("is too short a duration");
  return durationMs;
}

/** Parses a duration that is not zero, or `off`, which is undefined. Throws BadValue. */
export function parsePositiveDurationOrOff(text: string): number | undefined {
  return text === "off" ? undefined : withAlternative("off", () => parsePositiveDuration(text));
}

/** Parses a whole number of seconds, not zero, into milliseconds: no unit, no fraction. Throws BadValue. */
export function parseWholeSeconds(text: string): number {
  if (!/^0*[1-9]\d*$/.test(text)) throw new BadValue("is not a positive whole number of seconds");
  return parseDuration(text);
}

/** Parses the longest pause between attempts, in milliseconds: not shorter than the shortest one. Throws BadValue. */
export function parseReconnectInterval(text: string): number {
  const intervalMs = parseDuration(text);
  if (intervalMs < LIMITS.retryMs) throw new BadValue(`is too short a duration; the shortest is ${LIMITS.retryMs}ms`);
  return intervalMs;
}

/** Has the message of a BadValue tell of the word that can stand in place of a duration. */
function withAlternative(word: string, parse: () => number): number {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof BadValue)) throw error;
    throw new BadValue(`${error.message}; it can also be the word ${word}`, { cause: error });
  }
}
