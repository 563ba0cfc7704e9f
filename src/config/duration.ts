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
  if (text === "forever") return undefined;
  try {
    return parseDuration(text);
  } catch (error) {
    if (!(error instanceof BadValue)) throw error;
    throw new BadValue(`${error.message}, or forever`, { cause: error });
  }
}

/** Parses the longest pause between attempts, in milliseconds: not shorter than the shortest one. Throws BadValue. */
export function parseReconnectInterval(text: string): number {
  const intervalMs = parseDuration(text);
  if (intervalMs < LIMITS.retryMs) throw new BadValue(`is too short a duration; the shortest is ${LIMITS.retryMs}ms`);
  return intervalMs;
}
