import { TRANSMISSION_FLAG } from "../protocol/constants.ts";
import type { Geometry } from "../protocol/geometry.ts";

/** The server that answered does not serve the export that the clients know: nothing may be sent to it. */
export class StrangeExport extends Error {
  override readonly name = "StrangeExport";
}

/**
 * Whether a server that was connected to anew can take the place of the one before: the reason why not, or undefined. It may
 * offer more, and with `anySize` be of another size; FUA, WRITE_ZEROES, TRIM and CACHE may be missing, because they can be stood in for.
 */
export function strangeness(known: Geometry, found: Geometry, anySize: boolean): StrangeExport | undefined {
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
  return undefined;
}
