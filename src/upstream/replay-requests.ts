import type { Fragment } from "../durability/write-log.ts";
import { LIMITS } from "../limits.ts";
import { COMMAND } from "../protocol/constants.ts";
import type { Slice } from "../transport/slice.ts";
import type { KeptContent } from "./log-memory.ts";
import type { StandInStep } from "./stand-in.ts";

/**
 * What writes fragments of the log again. Neighbours go together, as far as `LIMITS.replayRequestBytes` and what the server takes
 * at once.
 */
export function replayRequests(
  fragments: readonly Fragment<KeptContent>[],
  addedFlags: number,
  maximumPayloadBytes: number,
): readonly StandInStep[] {
  const joinedBytes = Math.min(LIMITS.replayRequestBytes, maximumPayloadBytes);
  const requests: (StandInStep & { length: number; readonly payload: Slice[] })[] = [];
  for (const fragment of fragments) {
    const { start, end, command, content, contentStart } = fragment;
    const flags = fragment.flags | addedFlags;
    const length = end - start;
    const last = requests.at(-1);
    const joins =
      last !== undefined &&
      command === COMMAND.WRITE &&
      last.command === command &&
      last.offset + last.length === start &&
      last.length + length <= joinedBytes;
    if (!joins) requests.push({ command, flags, offset: start, length: 0, payload: [], room: undefined });
    const request = requests.at(-1);
    if (request === undefined) continue;
    request.length += length;
    content?.appendTo(request.payload, contentStart, contentStart + length);
  }
  return requests;
}
