import { TRANSMISSION_FLAG } from "../protocol/constants.ts";
import type { Geometry } from "../protocol/geometry.ts";

/** The server that answered does not serve the export that the clients know: nothing may be sent to it. */
export class StrangeExport extends Error {
  override readonly name = "StrangeExport";
}

/** What the users of an export can't do without, beside what it always had. */
export interface ExportNeeds {
  /** Nobody uses it: it may be of another size. */
  readonly anySize: boolean;
  /** The metadata contexts that somebody relies on. */
  readonly contexts: Iterable<string>;
}

/**
 * Whether a server that was connected to anew can take the place of the one before: the reason why not, or undefined. It may
 * offer more; FUA, WRITE_ZEROES, TRIM, CACHE and DF may be missing, because they can be stood in for, and so may contexts that
 * nobody relies on.
 */
export function strangeness(
  known: Geometry,
  found: Geometry,
  { anySize, contexts }: ExportNeeds,
): StrangeExport | undefined {
  const lacks = (flag: number): boolean => (known.flags & flag) !== 0 && (found.flags & flag) === 0;
  const readOnly = TRANSMISSION_FLAG.READ_ONLY;
  if (found.sizeBytes !== known.sizeBytes && !anySize) {
    return new StrangeExport(`its size is ${found.sizeBytes} bytes, not ${known.sizeBytes}`);
  }
  if ((known.flags & readOnly) === 0 && (found.flags & readOnly) !== 0) return new StrangeExport("it is read-only now");
  if (lacks(TRANSMISSION_FLAG.SEND_FLUSH)) return new StrangeExport("it does not offer FLUSH any more");
  if (found.minimumBlockBytes > known.minimumBlockBytes) {
    return new StrangeExport(`its minimum block size is ${found.minimumBlockBytes}, not ${known.minimumBlockBytes}`);
  }
  if (found.maximumPayloadBytes < known.maximumPayloadBytes) {
    return new StrangeExport(`its maximum payload is ${found.maximumPayloadBytes}, not ${known.maximumPayloadBytes}`);
  }
  for (const context of contexts) {
    if (!found.contexts.includes(context)) return new StrangeExport(`it has no metadata context "${context}" any more`);
  }
  return undefined;
}

/** Whether two lists have the same metadata contexts, in whatever order. */
export function sameContexts(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((context) => other.includes(context));
}
